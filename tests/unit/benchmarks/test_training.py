from __future__ import annotations

from benchmarks.training import report


def test_the_report_has_the_sections_that_were_measured() -> None:
    backup = {"strategy": "default", "every": 10, "step_ms": 5.0, "save_ms": 50.0, "ratio": 1.0}
    start = {"launcher": "local, 2 workers", "seconds": 9.0, "seconds_of_process": 14.0}

    found = report({"backup": [backup], "start": [start], "machine": {}})

    headings = [line for line in found.splitlines() if line.startswith("#")]
    assert headings == ["## From the Trainer's start to the first step", "## Backups"]
    (row,) = [line for line in found.splitlines() if line.startswith("| default")]
    assert [cell.strip() for cell in row.strip("|").split("|")] == ["default", "5.000", "50.0", "10", "100 %"]
