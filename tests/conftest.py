"""What every test stands on: the environment that the process edge sets, and where the shared data is."""

from __future__ import annotations

import os

# Before anything imports TensorFlow, in this process and in those that tests start; the plugin sets the one for Keras.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Tests fork and start processes: on a machine with a GPU the first one must not take all of its memory.
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
# argparse, of which Beam makes a parser for each look at its options, else looks for the terminal's size and for
# translations at every argument; and what it prints is the same on every machine.
os.environ.update(LANGUAGE="C", COLUMNS="80", LINES="24")

import gc
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import hypothesis
import pytest

# Ours, as users have it; named here for environments that were installed before it was an entry point.
pytest_plugins = ["pipeline_testing.plugin"]

# Folders whose files share a dear fixture.
TOGETHER = ("buckets", "grpc_protocol", "kubernetes", "metadata_servers", "shared_root", "transforms")

# A test fails for what the code does, never for how fast the machine is; and the same examples come on every machine.
hypothesis.settings.register_profile(
    "stf", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("stf")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew instead of comparing")
    parser.addoption("--fuzz-rounds", type=int, default=4, help="how often the model server is sent nonsense")
    parser.addoption("--kill-series", type=int, default=3, help="runs that are killed in every node, one after another")


@hypothesis.given(hypothesis.strategies.none())
def _first_property(_: None) -> None:
    """At the first one Hypothesis asks the collector who refers to its random numbers; it does not see the frozen."""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Modules and tests stay until the end: the garbage collector need not go through millions of objects for them."""
    _first_property()
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session")
def update_golden(pytestconfig: pytest.Config) -> bool:
    """Whether golden files are to be written anew."""
    return bool(pytestconfig.getoption("--update-golden"))


@pytest.fixture(scope="session", autouse=True)
def _session_tmp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """TensorFlow, Beam and TFX leave files in the temporary directory: give them one that goes with the session."""
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(tmp_path_factory.mktemp("tmp"))
    tempfile.tempdir = None
    yield
    if before is None:
        del os.environ["TMPDIR"]
    else:
        os.environ["TMPDIR"] = before
    tempfile.tempdir = None


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several workers, what shares a dear fixture runs in one: a file, or all files of some folders."""
    for item in items:
        together = item.path.parent if item.path.parent.name in TOGETHER else item.path
        item.add_marker(pytest.mark.xdist_group(str(together)))


@pytest.fixture(scope="session")
def stf_data() -> Path:
    """The folder with the public data sets, named by the environment variable STF_DATA."""
    value = os.environ.get("STF_DATA", "")
    if not value:
        pytest.skip("STF_DATA is not set: the tests on the public data sets need it to name their folder")
    path = Path(value).resolve()
    if not path.is_dir():
        pytest.skip(f"STF_DATA does not name a folder: {value}")
    return path
