"""The pytest plugin: fixtures that run a component or a pipeline on rows in memory, or compare serving with training.

Loading it imports neither TensorFlow nor TFX nor Beam. For tests that use none of its fixtures it changes one thing: it
sets TF_USE_LEGACY_KERAS=1, which must be set before anything imports TensorFlow, because Keras is tf_keras here. Where
the variable is already set it is left alone, and the fixtures say so if they cannot work like that.
"""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pipeline_testing.run_component import RunComponent
    from pipeline_testing.run_pipeline import RunPipeline
    from pipeline_testing.serving_equals_training import ServingEqualsTraining

_VARIABLE = "TF_USE_LEGACY_KERAS"
_LEGACY = ("1", "true", "True")  # as TensorFlow reads it


def pytest_addoption() -> None:
    """Sets the variable: of pytest's hooks this is the first one, before any conftest.py; there are no options."""
    os.environ.setdefault(_VARIABLE, "1")


@pytest.fixture(scope="session")
def run_component(tmp_path_factory: pytest.TempPathFactory) -> RunComponent:
    """Runs one component on rows or other values in memory: `run_component(StatisticsGen, examples=rows)`."""
    _check_keras()
    with _quiet_imports():
        from pipeline_testing.run_component import RunComponent

    return RunComponent(tmp_path_factory.mktemp)


@pytest.fixture(scope="session")
def run_pipeline(tmp_path_factory: pytest.TempPathFactory) -> RunPipeline:
    """Runs the pipeline of some settings, or a part of it: `run_pipeline(settings, rows, to="Transform")`."""
    _check_keras()
    with _quiet_imports():
        from pipeline_testing.run_pipeline import RunPipeline

    return RunPipeline(tmp_path_factory.mktemp)


@pytest.fixture(scope="session")
def assert_serving_equals_training(run_component: RunComponent) -> ServingEqualsTraining:
    """Compares what training saw with what serving computes: `assert_serving_equals_training(table, rows)`."""
    with _quiet_imports():
        from pipeline_testing.serving_equals_training import ServingEqualsTraining

    return ServingEqualsTraining(run_component)


@contextlib.contextmanager
def _quiet_imports() -> Iterator[None]:
    """What TFX and Beam say while they are imported is not the test's affair, also where warnings are errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _check_keras() -> None:
    from schemas.errors import SetupError  # not above: a project may have a package of that name, and need no fixture

    value = os.environ.get(_VARIABLE, "")
    if value not in _LEGACY:
        raise SetupError(
            "TensorFlow would use Keras 3, with which this package cannot train.",
            where=f"the environment variable {_VARIABLE}",
            received=value or "not set",
            fix=f"Unset it, or set it to 1, where pytest is started: {_VARIABLE}=1 pytest",
        )
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is not None and not tensorflow.keras.layers.Layer.__module__.startswith("tf_keras."):
        raise SetupError(
            "TensorFlow was imported before TF_USE_LEGACY_KERAS=1 was set, and uses Keras 3.",
            where="another pytest plugin, or -p on the command line",
            received=f"tf.keras is {tensorflow.keras.layers.Layer.__module__.split('.')[0]}",
            fix=f"Set the variable where pytest is started: {_VARIABLE}=1 pytest",
        )
