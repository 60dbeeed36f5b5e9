"""Real engines: job servers of Flink and Spark, from the jars that `make engines` has put together."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from configs.engine import Engine
from runners.job_server import require_job_servers
from schemas.errors import SetupError
from tests.integration.engines.flink_cluster import FlinkCluster
from tests.integration.engines.flink_cluster import flink_cluster as start_flink
from tests.integration.engines.spark_cluster import SparkCluster
from tests.integration.engines.spark_cluster import spark_cluster as start_spark


@pytest.fixture(scope="module")
def flink() -> str:
    """The engine flink, where it can be started."""
    return _there("flink")


@pytest.fixture(scope="module", params=["flink", "spark", "prism"])
def engine(request: pytest.FixtureRequest) -> str:
    """Each of the engines that can be started."""
    return _there(request.param)


@pytest.fixture(scope="module")
def flink_cluster(flink: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlinkCluster]:
    """A job manager and two task managers."""
    with start_flink(tmp_path_factory.mktemp(flink)) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def spark_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkCluster]:
    """A master and a worker."""
    with start_spark(tmp_path_factory.mktemp(_there("spark"))) as cluster:
        yield cluster


def _there(engine: str) -> str:
    try:
        require_job_servers(Engine.model_validate({"kind": engine}), os.environ)
    except SetupError as error:
        pytest.skip(f"{error.what} {error.received}: make engines")
    return engine
