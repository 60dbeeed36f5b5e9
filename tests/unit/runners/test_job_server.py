"""Processes, with a Java that says what a job server says."""

from __future__ import annotations

import tempfile
from pathlib import Path

import engine_programs
import pytest

from configs.engine import Engine
from runners.engine_program import FOLDER
from runners.job_server import job_servers, require_job_servers
from schemas.errors import RunError, SetupError

JAVA = """#!/bin/sh
here=$(dirname "$0")
[ "$1" = -version ] && echo 'openjdk version "17.0.15"' >&2 && exit 0
echo "$*" >> "$here/asked"
[ -e "$here/refuse" ] && echo "Exception: no memory" && exit 1
echo $$ > "$here/pid"
echo "INFO JobService started on localhost:$(wc -l < "$here/asked")"
exec sleep 60
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of this Java, whose ports are the numbers of its servers."""
    binary = tmp_path / "java" / "bin" / "java"
    binary.parent.mkdir(parents=True)
    binary.write_text(JAVA)
    binary.chmod(0o755)
    for engine in ("flink", "spark"):
        (tmp_path / f"beam-runners-{engine}.jar").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "java"))
    return tmp_path / "java"


@pytest.fixture
def environ(home: Path) -> dict[str, str]:
    return {"JAVA_HOME": str(home), "PATH": "/usr/bin:/bin"}


def engine(kind: str, tmp_path: Path, **settings: object) -> Engine:
    return Engine.model_validate({"kind": kind, kind: {"jars": str(tmp_path), **settings}})


def test_a_server_is_there_in_the_block_and_gone_after_it(home: Path, environ: dict[str, str], tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    with job_servers(engine("flink", tmp_path, parallelism=3), run, environ) as served:
        assert served.flink.address == "localhost:1"
        process = Path("/proc", (home / "bin" / "pid").read_text().strip())
        assert process.exists()
    assert not process.exists()
    (place,) = run.iterdir()
    assert sorted(path.name for path in place.iterdir()) == ["flink-conf.yaml", "job-server.log"]
    assert "taskmanager.numberOfTaskSlots: 3\n" in (place / "flink-conf.yaml").read_text()
    assert [path.name for path in home.iterdir()] == ["bin"]


def test_a_run_that_is_resumed_has_another_server(environ: dict[str, str], tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        with job_servers(engine("spark", tmp_path), tmp_path, environ) as served:
            found.append(served.spark.address)
    assert found == ["localhost:1", "localhost:2"]


def test_each_kind_that_some_node_uses_has_one(environ: dict[str, str], tmp_path: Path) -> None:
    given = {"kind": "inline", "nodes": {"Transform": "flink", "Evaluator": "spark"}}
    jars = {"flink": {"jars": str(tmp_path)}, "spark": {"jars": str(tmp_path)}}
    with job_servers(Engine.model_validate({**given, **jars}), tmp_path, environ) as served:
        assert (served.flink.address, served.spark.address) == ("localhost:1", "localhost:2")


def test_options_of_spark_are_javas_properties(home: Path, environ: dict[str, str], tmp_path: Path) -> None:
    given = {"configuration": {"spark.local.dir": "/fast"}, "memory_mb": 300, "master": "spark://a:7077"}
    with job_servers(engine("spark", tmp_path, **given), tmp_path, environ):
        asked = (home / "bin" / "asked").read_text()
    assert asked.startswith("-Xmx300m ")
    assert " -Dspark.local.dir=/fast org.apache.beam.runners.spark.SparkJobServerDriver " in asked
    assert asked.endswith(" --spark-master-url=spark://a:7077\n")


def test_where_there_is_an_address_nothing_is_started(tmp_path: Path) -> None:
    given = engine("flink", tmp_path, address="localhost:8099")
    with job_servers(given, tmp_path, {}) as served:
        assert served == given


def test_a_server_that_does_not_start_is_told_by_its_last_lines(
    home: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    (home / "bin" / "refuse").touch()
    with (
        pytest.raises(RunError, match="The job server of Flink did not start") as caught,
        job_servers(engine("flink", tmp_path), tmp_path, environ),
    ):
        pass
    (log,) = tmp_path.glob("flink-job-server-*/job-server.log")
    assert (caught.value.where, caught.value.received) == (str(log), "Exception: no memory")


def test_without_java_nothing_is_left(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    with pytest.raises(SetupError), job_servers(engine("flink", tmp_path), run, {"PATH": "/nowhere"}):
        pass
    assert list(run.iterdir()) == []


def test_what_a_run_would_start_is_looked_for_before_it() -> None:
    engine = Engine.model_validate({"kind": "inline", "nodes": {"Transform": "spark"}})
    with pytest.raises(SetupError, match="needs Java"):
        require_job_servers(engine, {"PATH": "/nowhere"})


@pytest.mark.parametrize("engine", [{"kind": "inline"}, {"kind": "flink", "flink": {"address": "localhost:8099"}}])
def test_what_a_run_does_not_start_is_not_looked_for(engine: dict[str, object]) -> None:
    require_job_servers(Engine.model_validate(engine), {"PATH": "/nowhere"})


def test_prism_is_a_program_of_its_own(tmp_path: Path) -> None:
    program = tmp_path / "prism"
    program.write_text('#!/bin/sh\necho \'{"msg":"Serving JobManagement","endpoint":"localhost:7"}\'\nexec sleep 60\n')
    program.chmod(0o755)
    given = Engine.model_validate({"kind": "prism", "prism": {"binary": str(program)}})
    with job_servers(given, tmp_path, {"PATH": "/usr/bin:/bin"}) as served:
        assert served.prism.address == "localhost:7"


def test_a_program_that_is_not_there_is_told_before_the_run(tmp_path: Path) -> None:
    environ = {"PATH": "/nowhere", "XDG_CACHE_HOME": str(tmp_path)}
    for name, given in (
        ("prism", {"kind": "prism"}),
        ("boot", {"kind": "flink", "flink": {"workers": {"kind": "process"}}}),
    ):
        with pytest.raises(SetupError, match=f"Beam's {name} is not there") as caught:
            require_job_servers(Engine.model_validate(given), environ)
        assert caught.value.where == f"{tmp_path}/scalable-tensorflow/engines/{FOLDER}/{name}"
        assert "make engines" in caught.value.fix


def test_boot_is_found_where_workers_are_processes(tmp_path: Path) -> None:
    folder = Path(engine_programs.programs_folder({"XDG_CACHE_HOME": str(tmp_path)}))
    folder.mkdir(parents=True)
    (folder / "boot").touch(mode=0o755)
    given = {"kind": "flink", "flink": {"address": "localhost:1", "workers": {"kind": "process"}}}
    with job_servers(Engine.model_validate(given), tmp_path, {"XDG_CACHE_HOME": str(tmp_path)}) as served:
        assert served.flink.workers.command == str(folder / "boot")
