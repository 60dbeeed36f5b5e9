"""The time that a query may take."""

from __future__ import annotations

import pytest

from components.queries.time_limit import TimeLimit


def test_an_hour() -> None:
    limit = TimeLimit(3600)
    assert limit.rest is not None
    assert 0 < limit.rest <= 3600
    assert not limit.over
    limit.check()


def test_nothing_is_left() -> None:
    limit = TimeLimit(0)
    assert limit.rest is not None
    assert limit.rest > 0
    assert limit.over
    with pytest.raises(TimeoutError):
        limit.check()


def test_without_a_limit() -> None:
    limit = TimeLimit(None)
    assert (limit.rest, limit.over) == (None, False)
