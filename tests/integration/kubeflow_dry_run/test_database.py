"""The throw-away database of a dry run."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from runners.kubeflow.dry_run.database import KINDS, PASSWORD_VARIABLE, throw_away_database
from schemas.errors import SettingsError
from tests.integration.kubeflow_dry_run.conftest import Execute, printed
from tests.integration.kubeflow_dry_run.shell_tasks import shell_tasks
from tests.integration.servers.installed import find

_QUERY = """
import json, os, sys
from urllib.parse import urlsplit
url = urlsplit(json.loads(sys.argv[2])["metadata"]["url"])
given = {"user": url.username, "password": os.environ[url.password[2:-1]], "host": url.hostname, "port": url.port}
if url.scheme == "postgresql":
    import pg8000.dbapi as driver
else:
    import pymysql as driver
cursor = driver.connect(database=url.path[1:], **given).cursor()
cursor.execute("CREATE TABLE made (number INT)")
cursor.execute("SELECT version()")
print(url.scheme, cursor.fetchone()[0])
"""


@pytest.fixture(autouse=True)
def _servers() -> None:
    find("postgres", packages="postgresql")
    find("mariadbd", packages="mariadb-server")


@pytest.mark.parametrize(("kind", "started"), [*zip(KINDS, KINDS, strict=True), (None, "mysql")])
def test_tasks_use_a_real_database_of_the_compiled_kind_unless_told_otherwise(
    execute: Execute, tmp_path: Path, said: list[str], kind: str | None, started: str
) -> None:
    specification = shell_tasks(tmp_path, _QUERY, python=True)
    settings = json.dumps({"name": "a", "metadata": {"url": "mysql://ml:${PASSWORD}@far-away/ml", "retry_seconds": 3}})

    result = execute(specification, {"settings": settings}, keep_metadata=False, database=kind)

    assert result.succeeded, result
    assert printed(result).startswith(f"{started} ")
    given = json.loads(result.tasks[0].command[-1])
    assert given["metadata"]["retry_seconds"] == 3
    assert f":${{{PASSWORD_VARIABLE}}}@127.0.0.1:" in given["metadata"]["url"]
    (line,) = (line for line in said if line.startswith("metadata: "))
    program = {"postgresql": "postgres", "mysql": "mariadbd"}[started]
    assert line.startswith(f"metadata: an empty {program}, started for this run")
    assert line.endswith("mysql://ml@far-away:3306/ml, as compiled, is for the cluster. --keep-metadata takes that one")


def test_a_store_of_ones_own(execute: Execute, tmp_path: Path) -> None:
    url = "postgresql://ml:${PASSWORD}@store/ml"

    result = execute(shell_tasks(tmp_path, "true"), keep_metadata=False, metadata_url=url)

    assert json.loads(result.tasks[0].command[-1]) == {"metadata": {"url": url}}


def test_settings_that_are_no_object(execute: Execute, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="is no object in JSON"):
        execute(
            shell_tasks(tmp_path, "true"), {"settings": "[]"}, keep_metadata=False, metadata_url="grpc://store:8080"
        )


def test_the_database_is_gone_afterwards() -> None:
    ours = f"dry-run-database-{os.getpid()}-*"  # tests of other processes have theirs there, too
    with throw_away_database() as database:
        made = list(Path("/tmp").glob(ours))

    assert database.password not in database.url
    assert made
    assert not any(folder.exists() for folder in made)


def test_no_webhook_hears_of_a_dry_run(execute: Execute, tmp_path: Path) -> None:
    specification = shell_tasks(tmp_path, "true")
    rest = {"host": "https://kubeflow.example.com", "image": "x"}
    kubeflow = {"webhook": "https://chat.example.com/hook", **rest}
    settings = {"settings": json.dumps({"kubeflow": kubeflow})}

    quiet, loud = (execute(specification, settings, tell_webhook=tell) for tell in (False, True))

    assert json.loads(quiet.tasks[0].command[-1]) == {"kubeflow": rest}
    assert json.loads(loud.tasks[0].command[-1]) == {"kubeflow": kubeflow}
