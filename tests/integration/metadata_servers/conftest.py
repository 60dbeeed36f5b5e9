"""Real servers of metadata stores: MariaDB and PostgreSQL, with a password, and a database for each test."""

from __future__ import annotations

import pytest

from tests.integration.servers.database_server import PASSWORD, PASSWORD_VARIABLE, Server

KINDS = ("mysql", "postgres")


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest) -> Server:
    """Each of the database servers."""
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """A name that no other test has."""
    return request.node.name.split("[")[0][-40:].strip("_")
