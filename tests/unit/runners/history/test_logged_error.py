from __future__ import annotations

from pathlib import Path

import pytest

from runners.history.logged_error import logged_error, logged_error_class


def test_an_error_of_ours_is_what_it_says(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        "INFO:absl:reading\nTraceback (most recent call last):\n  File x\n"
        "schemas.errors.DataError: The file is cut off.\n  Where: a.csv\n  Fix: Send it again.\n"
    )
    assert logged_error(log) == "The file is cut off.\n  Where: a.csv\n  Fix: Send it again."


def test_of_another_error_the_class_is_named(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("ValueError: first\nkeras.src.MadeUpError: the last one counts\nINFO:absl:done\n")
    assert logged_error(log) == "MadeUpError: the last one counts"


def test_a_log_without_an_error_or_none_at_all_gives_none(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("INFO:absl:all is well\nError rates: 0.1\n")
    assert logged_error(tmp_path / "log") is None
    assert logged_error(tmp_path / "missing") is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("schemas.errors.DataError: The file is cut off.\n  Where: a.csv\n", "DataError"),
        ("schemas.errors.DataError: first\nschemas.errors.RunError: It was killed.\n", "RunError"),
        ("ValueError: no error of ours\n", "RunError"),
        ("all is well\n", "RunError"),
    ],
)
def test_the_class_is_what_a_runner_would_record(text: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / "log").write_text(text)
    assert logged_error_class(tmp_path / "log") == kind
