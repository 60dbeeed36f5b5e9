"""The file that says which part of the requests goes to a canary."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import ReleaseError
from serving.traffic_split import TrafficSplit, read_split, write_split

SPLIT = TrafficSplit(id="a", stable=1, canary=2, percent=10)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert read_split(tmp_path) is None
    write_split(tmp_path, SPLIT)
    assert (tmp_path / "traffic.json").read_text() == '{"id":"a","stable":1,"canary":2,"percent":10.0}\n'
    assert read_split(tmp_path) == SPLIT
    write_split(tmp_path, None)
    assert list(tmp_path.iterdir()) == []


def test_what_is_none_is_told_with_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "traffic.json").write_text('{"id": "a", "stable": 1, "canary": 2, "percent": 100}')
    with pytest.raises(ReleaseError, match="Received: percent: Input should be less than 100\n"):
        read_split(tmp_path)
