from __future__ import annotations

import pytest
from ml_metadata import errors

from configs.account import Account
from configs.store_url import StoreUrl
from runners.metadata.backend import Failure
from runners.metadata.postgresql import PostgresqlBackend


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (errors.InternalError("server closed the connection unexpectedly"), Failure.LOST),
        (errors.FailedPreconditionError("Transaction already open."), Failure.LOST),
        (errors.FailedPreconditionError("Schema version of the store is newer."), None),
        (errors.InternalError("could not serialize access due to concurrent update"), Failure.BUSY),
        (errors.NotFoundError("no such type; the connection refused"), None),
    ],
)
def test_what_an_error_says_of_the_connection(error: errors.StatusError, failure: Failure | None) -> None:
    backend = PostgresqlBackend(StoreUrl("postgresql", "db"), Account("ml", "", source="nowhere"))
    assert backend.failure(error) is failure
