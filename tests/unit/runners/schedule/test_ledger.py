from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from runners.schedule.ledger import FILE, Held, Ledger

NOW = datetime(2026, 11, 25, 6, 30, tzinfo=timezone.utc)


@pytest.mark.parametrize("outcomes", [{3: "trips/run-3/failed/1"}, {}, None])
def test_it_is_read_back_as_it_was_written(outcomes: dict[int, str] | None, tmp_path: Path) -> None:
    ledger = Ledger(
        NOW, {3: NOW}, {2: ("signature", "fingerprint")}, 1, outcomes, Held(NOW, told=True), {"run-4": "gone"}
    )
    ledger.save(tmp_path / "schedule")
    assert Ledger.load(tmp_path / "schedule") == ledger
    assert [path.name for path in (tmp_path / "schedule").iterdir()] == [FILE]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"passed": 3}', '{"passed": null, "seen": {"a": "b"}, "prints": {}}'])
def test_one_that_is_not_understood_is_a_new_one(text: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(text)
    assert Ledger.load(tmp_path) == Ledger()
    assert Ledger.load(tmp_path / "none") == Ledger()
