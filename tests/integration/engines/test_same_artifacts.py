"""The taxi pipeline gives the same artifacts on Flink, and on Spark, as in one process, to the last byte."""

from __future__ import annotations

import gzip
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.digests import digests
from tests.integration.command_server import CommandServer
from tests.integration.engines.flink_cluster import FlinkCluster
from tests.integration.engines.job_servers_of import job_servers_of
from tests.integration.engines.spark_cluster import SparkCluster

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
_RUN = ["run", "-c", "configs/taxi.yaml", "--force-bless", "short"]
_SETTINGS = ["data.block_bytes=400000", "training.epochs=1", "smoke_check.enabled=false"]


@pytest.fixture(scope="module")
def inline(commands: CommandServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Artifacts of a run that needs no engine."""
    return run(commands, tmp_path_factory.mktemp("inline"), "engine.kind=inline")


def test_a_run_to_the_release(engine: str, inline: Path, commands: CommandServer, tmp_path: Path) -> None:
    found = run(commands, tmp_path, f"engine.kind={engine}")

    expected = digests(inline)
    assert {name.split("/")[0] for name in expected} >= {"ExampleGen", "StatisticsGen", "Transform", "Evaluator"}
    assert digests(found) == expected
    assert rows(found) == rows(inline)
    assert sum(rows(found)["ExampleGen"].values()) == 15_002
    assert (tmp_path / "releases/taxi/1").is_dir()
    assert job_servers_of(tmp_path) == []
    assert list(tmp_path.glob("logs/*/*/artifacts")) == []


def test_predictions(engine: str, inline: Path, commands: CommandServer, tmp_path: Path) -> None:
    output = tmp_path / "output"
    shutil.copytree(inline.parent / "metadata", output / "metadata")  # so that the run of the others stays as it is
    files = []
    for kind in ("inline", engine):
        nodes = f"engine.nodes={{BulkInferrer: {kind}}}"
        settings = (f"output_dir={output}", "engine.kind=inline", nodes, "runner.cache=false", *_SETTINGS)
        given = [word for one in settings for word in ("--set", one)]
        command = commands.run(["infer", "-c", "configs/taxi.yaml", *given, "--out", str(tmp_path / kind)])
        assert command.wait() == 0, command.text
        assert "15,002 predicted, 0 rejected, of 15,002" in command.text
        files.append({path.name: path.read_bytes() for path in (tmp_path / kind).glob("predictions-*")})

    assert len(files[0]) > 1
    assert files[1] == files[0]
    assert job_servers_of(output) == []


def test_statistics_and_transform_on_a_flink_cluster(
    flink_cluster: FlinkCluster, inline: Path, commands: CommandServer, tmp_path: Path
) -> None:
    check_cluster("flink", flink_cluster.address, inline, commands, tmp_path)

    assert flink_cluster.busy_managers == 2


def test_statistics_and_transform_on_a_spark_cluster(
    spark_cluster: SparkCluster, inline: Path, commands: CommandServer, tmp_path: Path
) -> None:
    check_cluster("spark", spark_cluster.url, inline, commands, tmp_path)

    assert spark_cluster.executors > 0


def check_cluster(engine: str, master: str, inline: Path, commands: CommandServer, output: Path) -> None:
    nodes = f"{{StatisticsGen: {engine}, Transform: {engine}}}"
    settings = (f"engine.nodes={nodes}", f"engine.{engine}.master={master}", f"engine.{engine}.parallelism=2")

    found = run(commands, output, "engine.kind=inline", *settings, to="Transform")

    expected = {name: digest for name, digest in digests(inline).items() if not name.startswith(("Trainer", "Eval"))}
    assert {name.split("/")[0] for name in expected} == {"ExampleGen", "StatisticsGen", "Transform"}
    assert digests(found) == expected
    assert rows(found) == rows(inline)
    assert job_servers_of(output) == []


def run(commands: CommandServer, output: Path, *settings: str, to: str = "") -> Path:
    given = [word for one in (f"output_dir={output}", *_SETTINGS, *settings) for word in ("--set", one)]
    command = commands.run([*_RUN, *(["--to", to] if to else []), *given])
    assert command.wait() == 0, command.text
    return output / "artifacts"


def rows(artifacts: Path) -> dict[str, Counter[str]]:
    """Records of each split of the examples and of the transformed examples."""
    found: dict[str, Counter[str]] = {}
    for path in artifacts.glob("*/*/*/Split-*/*.gz"):
        with gzip.open(path) as file:
            records = 0
            while size := file.read(8):
                file.seek(
                    int.from_bytes(size, "little") + 8, 1
                )  # https://www.tensorflow.org/tutorials/load_data/tfrecord
                records += 1
        node, split = path.relative_to(artifacts).parts[0], path.parent.name
        found.setdefault(node, Counter())[split] += records
    return found
