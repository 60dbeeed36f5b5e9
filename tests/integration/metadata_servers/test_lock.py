"""The lock of a run on its store."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from configs.settings import Settings
from runners.metadata.backend import StoreUnreachableError
from runners.metadata.store_backend import store_backend
from runners.store_lock import store_lock
from schemas.errors import RunError
from tests.integration.command_server import ROOT
from tests.integration.metadata_servers.opened_store import settings_of
from tests.integration.servers.database_server import Server
from tests.integration.servers.metadata_service import Service

pytestmark = pytest.mark.slow
_RUN = """
import sys, time
from configs.settings import Settings
from runners.store_lock import store_lock
with store_lock(Settings.model_validate_json(sys.argv[1]), "run 7 on host, process 42"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def _held_elsewhere(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", _RUN, json.dumps(settings.dump())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        if process.stdout is None:
            raise AssertionError("it is a pipe")
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def _check_lock(url: str, holder: str) -> None:
    settings = settings_of(url)
    with _held_elsewhere(settings) as process:
        with pytest.raises(RunError) as caught, store_lock(settings, "me"):
            pass
        assert caught.value.what == "Another run of this pipeline is using this metadata store."
        assert holder in str(caught.value.received)
        with store_lock(settings_of(url, name="another"), "me"):
            pass
        process.kill()
        process.wait()
        settings = settings_of(url, "metadata.retry_seconds=60")
    while True:  # until the server has noticed
        with contextlib.suppress(RunError), store_lock(settings, "me"):
            break


def test_a_lock_in_mysql_dies_with_its_holder(mysql: Server, database: str) -> None:
    _check_lock(mysql.create(database), "connection ")


def test_a_lock_in_postgresql_dies_with_its_holder(postgres: Server, database: str) -> None:
    _check_lock(postgres.create(database), "run 7 on host, process 42 (from 127.0.0.1")


def test_a_lock_of_a_service_dies_with_its_holder(metadata_service: Service) -> None:
    _check_lock(metadata_service.url, "run 7 on host, process 42")


def test_a_lock_of_sqlite_dies_with_its_holder(tmp_path: Path) -> None:
    _check_lock(f"sqlite:///{tmp_path}/a.sqlite", "run 7 on host, process 42")


def test_a_run_goes_on_when_the_connection_of_its_lock_breaks(
    server: Server, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    with store_lock(settings_of(server.create(database)), "me"):
        server.stop()
        server.start()
    assert [record.message for record in caplog.records if "was lost during the run" in record.message]


@pytest.fixture
def cut_off(server: Server, database: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, list[int]]:
    """A store whose server breaks the next connection, after it is there; how many it broke each time."""
    url = server.create(database)
    backend: Any = type(store_backend(settings_of(url)))
    connect, broken = backend.connect, []

    def connect_and_break(self: Any, program_name: str = "") -> Any:
        connection = connect(self, program_name)
        if not broken:
            broken.append(server.drop_connections(database))
        return connection

    monkeypatch.setattr(backend, "connect", connect_and_break)
    return url, broken


def test_a_connection_that_breaks_before_the_lock_is_held(cut_off: tuple[str, list[int]]) -> None:
    url, broken = cut_off
    with store_lock(settings_of(url), ""):  # the name that `drop_connections` looks for
        assert broken == [1]


def test_a_lock_whose_connection_does_not_come_back(cut_off: tuple[str, list[int]], server: Server) -> None:
    url, broken = cut_off
    with pytest.raises(StoreUnreachableError) as caught, store_lock(settings_of(url, "metadata.retry_seconds=0"), ""):
        pass
    assert broken == [1]
    assert f"ml@127.0.0.1:{server.port}/" in caught.value.where
    assert caught.value.fix.startswith("Keep the server up")
