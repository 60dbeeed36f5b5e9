"""ServingExampleGen: rows that predictions were made for, as ExampleGen reads rows to train on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tfx.dsl.components.base import executor_spec

from components.example_gen import driver, executor
from components.example_gen.inference import InferenceExampleGen
from schemas.errors import DataError


class Driver(driver.Driver):
    """Finds the files."""

    def resolve_exec_properties(
        self, exec_properties: dict[str, Any], pipeline_info: object, component_info: object
    ) -> dict[str, Any]:
        """As of ExampleGen's driver."""
        with _of_serving():
            return super().resolve_exec_properties(exec_properties, pipeline_info, component_info)


class Executor(executor.Executor):
    """Ingests them."""

    def Do(  # noqa: N802  (TFX's name)
        self, input_dict: dict[str, list[Any]], output_dict: dict[str, list[Any]], exec_properties: dict[str, Any]
    ) -> None:
        """As of ExampleGen's executor."""
        with _of_serving():
            super().Do(input_dict, output_dict, exec_properties)


class ServingExampleGen(InferenceExampleGen):
    """Ingests rows that need no label, to measure skew from; as InferenceExampleGen, but errors name their setting."""

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)
    DRIVER_CLASS = Driver


@contextmanager
def _of_serving() -> Iterator[None]:
    try:
        yield
    except DataError as error:
        where, fix = (text.replace("data.path", "validation.serving_path") for text in (error.where, error.fix))
        raise DataError(error.what, where=where, received=error.received, fix=fix) from error
