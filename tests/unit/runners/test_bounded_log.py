from __future__ import annotations

from pathlib import Path

from runners.bounded_log import bounded_log


def test_what_is_more_than_a_mebibyte_is_put_beside_and_the_one_before_is_gone(tmp_path: Path) -> None:
    log = tmp_path / "plan.log"
    assert bounded_log(log) == log
    for content in ("a", "b", "c"):
        log.write_text(content * (2**20 + 1))
        bounded_log(log)
    assert [(file.name, file.read_text()[:1]) for file in tmp_path.iterdir()] == [("plan.log.1", "c")]


def test_a_small_one_is_appended_to(tmp_path: Path) -> None:
    log = tmp_path / "plan.log"
    log.write_text("a" * 2**20)
    bounded_log(log)
    assert [file.name for file in tmp_path.iterdir()] == ["plan.log"]
