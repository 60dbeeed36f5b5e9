"""The audit log: what is written is read back, nothing is lost, and what rollbacks go back through."""

from __future__ import annotations

import json
import resource
from datetime import datetime, timezone
from pathlib import Path

import pytest

from schemas.errors import ReleaseError
from serving.audit_log import AuditEntry, AuditLog, stable_history


def entry(action: str = "promote", after: int | None = 2, before: int | None = 1, **changes: object) -> AuditEntry:
    given: dict[str, object] = {
        "time": datetime(2026, 3, 1, 12, tzinfo=timezone.utc),
        "action": action,
        "label": "stable",
        "from": before,
        "to": after,
        "labels": {} if after is None else {"stable": after},
        "who": "ann",
        "host": "vm",
    }
    return AuditEntry.model_validate({**given, **changes})


def test_a_line_has_the_time_who_why_from_to_and_host(tmp_path: Path) -> None:
    AuditLog(tmp_path).append(entry(why="weekly"))
    line = json.loads((tmp_path / "audit.jsonl").read_text())
    assert line["time"] == "2026-03-01T12:00:00Z"
    assert (line["who"], line["why"], line["from"], line["to"], line["host"]) == ("ann", "weekly", 1, 2, "vm")


def test_entries_are_read_back_in_order(tmp_path: Path) -> None:
    log, entries = AuditLog(tmp_path), tuple(entry(after=version) for version in (2, 3, 4))
    for one in entries:
        log.append(one)
    assert log.entries() == entries


def test_a_reason_may_have_any_characters(tmp_path: Path) -> None:
    log, why = AuditLog(tmp_path), 'two\nlines "quoted" größe \u2028 \x00'
    log.append(entry(why=why))
    log.append(entry())
    assert [one.why for one in log.entries()] == [why, ""]


def test_no_log_is_an_empty_one(tmp_path: Path) -> None:
    assert AuditLog(tmp_path).entries() == ()


def test_a_line_that_a_power_failure_cut_off_is_not_there_and_the_next_one_is_whole(tmp_path: Path) -> None:
    log = AuditLog(tmp_path)
    log.append(entry())
    with log.path.open("a") as file:
        file.write('{"time": "2026-')
    assert log.entries() == (entry(),)
    log.append(entry(after=3))
    assert log.entries() == (entry(), entry(after=3))


def test_a_full_disk_leaves_the_log_as_it_was(tmp_path: Path) -> None:
    log = AuditLog(tmp_path)
    log.append(entry())
    before, limits = log.path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    # The kernel writes as many bytes of a line as it may.
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, limits[1]))
    try:
        with pytest.raises(OSError, match="No space left"):
            log.append(entry(after=3))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert log.path.read_bytes() == before


def test_a_line_of_something_else_is_named(tmp_path: Path) -> None:
    log = AuditLog(tmp_path)
    log.append(entry())
    with log.path.open("a") as file:
        file.write("hello\n")
    with pytest.raises(ReleaseError, match=r"Where: .*audit\.jsonl, line 2\n  Received: hello"):
        log.entries()


def test_keys_of_a_later_program_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").write_text(
        json.dumps({**entry().model_dump(mode="json", by_alias=True), "new": 1}) + "\n"
    )
    assert AuditLog(tmp_path).entries() == (entry(),)


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ([("promote", 1), ("promote", 2), ("promote", 3)], (1, 2, 3)),
        ([("promote", 1), ("promote", 2), ("promote", 3), ("rollback", 2)], (1, 2)),
        ([("promote", 1), ("promote", 2), ("promote", 3), ("rollback", 2), ("rollback", 1)], (1,)),
        ([("promote", 1), ("promote", 2), ("rollback", 1), ("promote", 3)], (1, 3)),
        ([("promote", 1), ("promote", 2), ("promote", 2)], (1, 2)),
        ([("promote", 1), ("promote", 2), ("promote", 1)], (1, 2, 1)),
        ([("promote", 1), ("promote", 3), ("rollback", 2)], (1, 3, 2)),
        ([("promote", 1), ("promote", 2), ("noticed", 1)], (1,)),
        ([("promote", 1), ("noticed", 4)], (1, 4)),
        ([("promote", 1), ("noticed", None)], (1,)),
        ([], ()),
    ],
)
def test_what_rollbacks_go_back_through(actions: list[tuple[str, int | None]], expected: tuple[int, ...]) -> None:
    assert stable_history(entry(action, after) for action, after in actions) == expected


def test_what_failed_and_other_labels_are_not_gone_back_to() -> None:
    failed = entry(after=2, outcome="failed", labels={"stable": 1})
    canary = entry("canary", 3, label="canary", labels={"stable": 1, "canary": 3})
    assert stable_history([entry(after=1), failed, canary]) == (1,)


def test_what_was_done_and_then_failed_after_all_is_not_gone_back_to() -> None:
    failed = entry(after=2, outcome="failed", labels={"stable": 1})
    assert stable_history([entry(after=1), entry(after=2), failed]) == (1,)
