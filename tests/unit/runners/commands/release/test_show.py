"""`release show`."""

from __future__ import annotations

import json
import re
from pathlib import Path

from serving.releases import ReleaseStore
from tests.unit.runners.commands.release.conftest import Run
from tests.unit.serving.conftest import make_provenance, make_source


def test_show_has_the_record_and_the_history(run: Run) -> None:
    run("promote", "1", "--reason", "first")
    run("promote", "2", "--reason", "better")
    found = json.loads(run("show", "stable", "--json")[1])
    assert (found["version"], found["release"]["run_id"], found["labels"]) == (2, "run-2", ["stable"])
    (line,) = found["history"]
    assert (line["from"], line["to"], line["why"]) == (1, 2, "better")
    code, out, _ = run("show", "1")
    assert code == 0
    assert out.count("promote stable") == 2
    assert "why: first" in out
    assert "saved_model" not in out


def test_show_says_why_a_version_is_not_blessed(run: Run) -> None:
    assert "failed: auc of Overall is 0.5, at least 0.9" in run("show", "latest")[1]


def test_a_version_or_label_that_is_not_there_is_told_with_what_is(run: Run, root: Path) -> None:
    run("promote", "2")
    code, _, err = run("show", "canary")
    assert code == 1
    assert "There is no such version or label." in err
    assert "Received: canary\n  Fix: Give one of these. Versions: 1, 2, 3; labels: stable (2)." in err
    (root / "taxi/2").rename(root / "taxi/.gone")
    assert "Received: stable, which is version 2\n" in run("show", "stable")[2]


def test_show_tells_spans_where_there_are_any(run: Run, root: Path, tmp_path: Path) -> None:
    ReleaseStore(root, "taxi").publish(make_source(tmp_path / "spanless"), make_provenance(spans=(0,)))
    assert re.search(r"spans +-\n", run("show", "latest")[1])
    assert re.search(r"spans +2\n", run("show", "2")[1])
