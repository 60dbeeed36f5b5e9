"""Prepared data of ExampleGen, which is brought when it is asked for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from components.example_gen.kept_folder import alone, fetched_by, is_whole, keep, staging
from runners.kubeflow.root.node_files import NodeFiles
from runners.kubeflow.root.shared_root import SharedRoot


def test_what_was_prepared_is_brought_when_it_is_asked_for_and_leaves_with_it(
    root: SharedRoot, tmp_path: Path, sent: list[str]
) -> None:
    def keep_one(task: SharedRoot, name: str) -> None:
        parent = task.folder / "prepared"
        with alone(parent), staging(parent) as staged:
            (staged / "rows.csv").write_text(name)
            keep(staged, parent / name, (str(staged / "rows.csv"),))

    tasks = [SharedRoot(tmp_path / f"task-{number}", root.url) for number in range(3)]
    nodes = [NodeFiles(task, "run", "ExampleGen") for task in tasks]
    nodes[0].prepare("ExampleGen")
    for name in ("asked for", "replaced", "not asked for"):
        keep_one(tasks[0], name)
    nodes[0].take("ExampleGen", [], "")

    nodes[1].prepare("ExampleGen")
    prepared = tasks[1].folder / "prepared"
    # As old as they are: a query's result is replaced when it is.
    taken = root.taken("prepared")
    assert {path.name: path.stat().st_mtime for path in prepared.iterdir()} == {
        name: pytest.approx(taken[f"prepared/{name}"].modified, abs=1e-3)
        for name in ("asked for", "replaced", "not asked for")
    }
    with fetched_by(nodes[1].fetch):
        assert is_whole(prepared / "asked for", "csv")
        assert not is_whole(prepared / "of another source", "csv")
    assert list((prepared / "not asked for").iterdir()) == []
    shutil.rmtree(prepared / "replaced")  # as a query's result that a newer one replaces
    keep_one(tasks[1], "new")
    sent.clear()
    nodes[1].take("ExampleGen", [], "")
    assert sorted(sent) == ["prepared/new/.fingerprint", "prepared/new/rows.csv"]

    nodes[2].prepare("ExampleGen")
    assert sorted(path.name for path in (tasks[2].folder / "prepared").iterdir()) == [
        "asked for", "new", "not asked for",
    ]  # fmt: skip
    with fetched_by(nodes[2].fetch):
        assert is_whole(tasks[2].folder / "prepared/new", "csv")


def test_prepared_data_of_which_a_part_is_gone_is_made_anew(root: SharedRoot, other: SharedRoot) -> None:
    parent = root.folder / "prepared"
    with alone(parent), staging(parent) as staged:
        (staged / "rows.csv").write_text("rows")
        keep(staged, parent / "one", (str(staged / "rows.csv"),))
    root.take(["prepared/one"])
    root.store.delete(["prepared/one/rows.csv"])
    files = NodeFiles(other, "run", "ExampleGen")
    files.prepare("ExampleGen")
    with fetched_by(files.fetch):
        assert not is_whole(other.folder / "prepared/one", "csv")
