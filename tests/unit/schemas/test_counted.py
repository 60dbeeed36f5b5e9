"""Numbers of things."""

from __future__ import annotations

from schemas.counted import counted


def test_one_is_one() -> None:
    assert [counted(number, "live request") for number in (0, 1, 2)] == [
        "0 live requests",
        "1 live request",
        "2 live requests",
    ]
