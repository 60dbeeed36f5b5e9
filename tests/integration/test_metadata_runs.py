"""Whole runs on metadata stores in real servers, through the command line."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ml_metadata.proto import metadata_store_pb2 as mlmd

from configs.load import load_settings
from runners.metadata_store import metadata_connection
from tests.integration.command_server import ROOT
from tests.integration.servers.database_server import PASSWORD, PASSWORD_VARIABLE
from tests.integration.servers.metadata_service import Service

pytestmark = pytest.mark.slow
SETTINGS = """\
name: NAME
output_dir: FOLDER/NAME
data: {path: FOLDER/data.csv}
features:
  fare: {kind: numeric}
  miles: {kind: numeric}
label: {kind: binary, expression: tips > 1}
model: {hidden_units: [4]}
training: {epochs: 1, batch_size: 32}
evaluation: {thresholds: {auc: {lower: 0.0}}}
smoke_check: {enabled: false}
metadata: {url: 'URL'}
"""
ROWS = "fare,miles,tips\n" + "".join(f"{n},{n}.5,{n % 3}\n" for n in range(1, 301))


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)


def _write(folder: Path, url: str, name: str) -> Path:
    (folder / "data.csv").write_text(ROWS)
    file = folder / f"{name}.yaml"
    file.write_text(SETTINGS.replace("FOLDER", str(folder)).replace("NAME", name).replace("URL", url))
    return file


@contextlib.contextmanager
def _started(file: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "runners.cli", "run", "-c", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()


def _check(folder: Path, file: Path, name: str, process: subprocess.Popen[str]) -> None:
    said = process.communicate()[0]
    assert process.returncode == 0, said
    assert (folder / name / "releases" / name / "1" / "saved_model.pb").exists()
    assert PASSWORD not in said
    for written in (folder / name).rglob("*"):
        assert not written.is_file() or PASSWORD.encode() not in written.read_bytes(), written
    states = mlmd.Execution.State.Name
    with metadata_connection(load_settings([file], (), os.environ)) as handle:
        (context,) = [
            found
            for found in handle.store.get_contexts_by_type("pipeline_run")
            if handle.store.get_parent_contexts_by_context(found.id)[0].name == name
        ]
        executions = handle.store.get_executions_by_context(context.id)
        types = {found.id: found.name for found in handle.store.get_execution_types()}
    assert {states(found.last_known_state) for found in executions} == {"COMPLETE"}
    ran = sorted(types[found.type_id] for found in executions)
    assert len(set(ran)) == len(ran) >= 9, ran


def _run(folder: Path, url: str, name: str = "tiny") -> None:
    file = _write(folder, url, name)
    with _started(file) as process:
        _check(folder, file, name, process)


def test_a_run_on_mysql(mysql: Any, tmp_path: Path) -> None:
    _run(tmp_path, mysql.create("a_run"))


def test_two_runs_at_the_same_time_on_postgresql_whose_connections_are_killed(postgres: Any, tmp_path: Path) -> None:
    url = postgres.create("two_runs")
    files = {name: _write(tmp_path, url, name) for name in ("one", "two")}
    over = threading.Event()
    killed: list[int] = []

    def kill() -> None:
        """Ends all connections of ML Metadata whenever a node has begun, which then has its result to publish."""
        begun: set[Path] = set()
        while not over.wait(0.05):
            found = set(tmp_path.glob("*/artifacts/*"))
            if found - begun:
                killed.append(postgres.drop_connections("two_runs"))
            begun = found

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with _started(files["one"]) as one, _started(files["two"]) as two:
            for name, process in (("one", one), ("two", two)):
                _check(tmp_path, files[name], name, process)
    finally:
        over.set()
        killer.join()
    assert sum(killed)


def test_a_run_on_a_service_that_is_killed_and_started_again(metadata_service: Service, tmp_path: Path) -> None:
    file = _write(tmp_path, metadata_service.url, "tiny")
    with _started(file) as process:
        while process.poll() is None and not (tmp_path / "tiny" / "artifacts" / "StatisticsGen").exists():
            pass
        metadata_service.stop(signal.SIGKILL)
        metadata_service.start()
        _check(tmp_path, file, "tiny", process)
