"""Many command lines in one fresh process: the libraries are imported once, and no test has run TensorFlow before."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.command_server import CommandServer
from tests.integration.servers.metadata_service import Service, service
from tests.integration.servers.mysql import Mysql, mysql_server
from tests.integration.servers.postgres import Postgres, postgres_server

ROOT = Path(__file__).parents[2]

_SCRIPT = """
import contextlib, io, json, sys
from runners.cli import main
results = {}
for name, argv in json.load(sys.stdin).items():
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(argv)
    results[name] = [code, out.getvalue(), err.getvalue()]
json.dump(results, open(sys.argv[1], "w"))
"""


@dataclass(frozen=True)
class Ended:
    """How a command line ended."""

    code: int
    stdout: str
    stderr: str


RunAll = Callable[[Mapping[str, Sequence[str]]], dict[str, Ended]]


@pytest.fixture(scope="session")
def run_all(tmp_path_factory: pytest.TempPathFactory) -> RunAll:
    """Runs `scalable-tf` with each of the argument lists, by name."""

    def run(commands: Mapping[str, Sequence[str]]) -> dict[str, Ended]:
        results = tmp_path_factory.mktemp("commands") / "results.json"
        text = json.dumps({name: list(argv) for name, argv in commands.items()})
        subprocess.run([sys.executable, "-c", _SCRIPT, str(results)], input=text, text=True, cwd=ROOT, check=True)
        return {name: Ended(*fields) for name, fields in json.loads(results.read_text()).items()}

    return run


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A private PostgreSQL server."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def mysql() -> Iterator[Mysql]:
    """A private MariaDB server, which speaks MySQL's protocol."""
    with mysql_server() as server:
        yield server


@pytest.fixture
def metadata_service() -> Iterator[Service]:
    """`scalable-tf metadata serve` over an empty SQLite file."""
    with service() as server:
        yield server


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandServer]:
    """Starts `scalable-tf` at once, in processes that a test may kill."""
    server = CommandServer(tmp_path_factory.mktemp("commands"))
    yield server
    server.close()
