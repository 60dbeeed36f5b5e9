"""`release list`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.unit.runners.commands.release.conftest import Run


def test_list_shows_versions_with_labels_run_metrics_and_blessing(run: Run) -> None:
    run("promote", "1")
    code, out, _ = run("list")
    lines = [line.split() for line in out.splitlines()]
    assert code == 0
    assert lines[0] == ["Version", "Labels", "Created", "(UTC)", "Run", "Blessed", "Metrics"]
    assert [line[0] for line in lines[1:]] == ["3", "2", "1"]
    assert lines[1][-4:] == ["run-3", "no", "auc", "0.9"]
    assert (lines[3][1], lines[3][-4:]) == ("stable", ["run-1", "yes", "auc", "0.9"])


def test_list_as_json(run: Run) -> None:
    run("promote", "2")
    found = json.loads(run("list", "--json")[1])
    assert found["labels"] == {"stable": 2}
    newest, second, _ = found["versions"]
    assert (newest["version"], newest["labels"], newest["blessing"]["blessed"]) == (3, [], False)
    assert (second["labels"], second["run_id"], second["metrics"]) == (["stable"], "run-2", {"auc": 0.9})


def test_list_goes_on_where_a_record_cannot_be_read(run: Run, root: Path) -> None:
    (root / "taxi/2/release.json").write_text("{")
    code, out, _ = run("list")
    assert code == 0
    assert "release.json cannot be read" in out
