"""The database servers, one after the other, with a database of the test's own."""

from __future__ import annotations

import itertools

import pytest

from tests.integration.queries.query_reading import TRIPS
from tests.integration.query_tables import execute
from tests.integration.servers.database_server import Server

_NUMBERS = itertools.count()


@pytest.fixture(params=["mysql", "postgres"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each of the database servers."""
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def database() -> str:
    """A name that no other test has."""
    return f"queries_{next(_NUMBERS)}"


@pytest.fixture
def trips(server: Server, database: str) -> str:
    """The URL of a database with three trips."""
    url = server.create(database)
    execute(server, database, *TRIPS)
    return url
