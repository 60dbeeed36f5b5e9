"""What is deleted in the root: by whom, only what was taken, and to the end also where a task is killed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from components.example_gen.kept_folder import alone, keep, staging
from runners.kubeflow.root.node_files import NodeFiles
from runners.kubeflow.root.shared_root import SharedRoot
from runners.kubeflow.root.unit_names import MANIFESTS, manifest_name
from serving.releases import ReleaseStore
from tests.integration.shared_root.artifact import UNIT, write


def test_only_what_was_taken_is_deleted(root: SharedRoot) -> None:
    write(root, a=b"one")
    root.take([UNIT])
    root.store.put(f"{UNIT}/theirs", b"not ours")
    root.forget(UNIT)
    assert set(root.objects(UNIT)) == {"theirs"}
    assert root.store.list(f"{MANIFESTS}/") == {}


def test_a_release_whose_taking_was_cut_off_can_be_retired(root: SharedRoot) -> None:
    unit = "releases/m/3"
    root.claim(unit, "run-1")
    for name in ("saved_model.pb", "release.json"):
        root.store.put(f"{unit}/{name}", b"whole")
    root.store.put("releases/m/4/release.json", b"not ours")
    for one in (unit, "releases/m/4"):
        root.forget(one, first=("release.json", "saved_model.pb"))
    assert set(root.store.list("releases/")) == {"releases/m/4/release.json"}
    assert root.claims("releases") == []


class Killed(BaseException):
    """What ends a process."""


def _killed(objects: object) -> None:
    raise Killed


@pytest.mark.parametrize("requests", range(6))
def test_a_retirement_that_is_killed_is_ended_by_the_next_task(
    root: SharedRoot, other: SharedRoot, monkeypatch: pytest.MonkeyPatch, requests: int
) -> None:
    unit, left = "releases/m/1", requests
    for name in ("release.json", "saved_model.pb", "variables/1", "variables/2"):
        file = root.folder / unit / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    root.claim(unit, "run-1")
    root.take([unit])

    def killed(delete: Callable[[Any], None]) -> Callable[[Any], None]:
        def delete_or_die(objects: Any) -> None:
            nonlocal left
            if (left := left - 1) < 0:
                raise Killed
            delete(objects)

        return delete_or_die

    with monkeypatch.context() as patch:
        for each in ("delete", "delete_same"):
            patch.setattr(root.store, each, killed(getattr(root.store, each)))
        try:
            root.forget(unit, first=("release.json", "saved_model.pb"))
        except Killed:
            pass
        else:
            pytest.fail("it makes fewer requests: they are not all tried")

    NodeFiles(other, "run-2", "Pusher").prepare("Pusher")
    assert root.store.list("") == {}
    assert ReleaseStore(other.folder / "releases", "m").versions() == {}


PREPARED = "prepared/rows"


def prepare(task: SharedRoot, rows: str) -> None:
    """Makes prepared data, and takes them."""
    parent = task.folder / "prepared"
    with alone(parent), staging(parent) as staged:
        (staged / "rows.csv").write_text(rows)
        keep(staged, task.folder / PREPARED, (str(staged / "rows.csv"),))
    task.take([PREPARED])


def forget_and_be_killed(task: SharedRoot) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(task.store, "delete_same", _killed)
        with pytest.raises(Killed):
            task.forget(PREPARED)


@pytest.mark.parametrize("taken", ["whole", "in part", "and deleted again"])
def test_a_task_that_hangs_deletes_nothing_that_was_made_anew(
    root: SharedRoot, other: SharedRoot, monkeypatch: pytest.MonkeyPatch, taken: str
) -> None:
    prepare(root, "old rows")
    store, get = root.store, root.store.get
    forget_and_be_killed(root)

    def hang(name: str) -> bytes | None:
        """Answers what was there before another task ended the deletion and made the folder anew."""
        answer = get(name)
        monkeypatch.undo()
        root.end_forgetting()
        prepare(root, "new rows")
        if taken == "in part":
            store.delete([manifest_name(PREPARED)])
        if taken == "and deleted again":
            forget_and_be_killed(root)
        return answer

    monkeypatch.setattr(store, "get", hang)
    other.end_forgetting()
    assert store.get(f"{PREPARED}/rows.csv") == b"new rows"
    assert root.is_whole(PREPARED) == (taken != "in part")
    assert bool(store.list(".deleted/")) == (taken == "and deleted again")


def test_what_was_taken_again_since_it_was_to_be_deleted_stays_with_files_that_are_as_they_were(
    root: SharedRoot, other: SharedRoot
) -> None:
    prepare(root, "rows")
    forget_and_be_killed(root)
    (root.folder / PREPARED / "more.csv").write_text("more")
    root.take([PREPARED])
    other.end_forgetting()
    assert root.is_whole(PREPARED)


@pytest.mark.parametrize(
    "note", [b'[["rows.csv"]]', b"{", b'{"unit": "prepared/rows"}'], ids=["names only", "cut off", "in part"]
)
def test_a_note_that_cannot_be_read_stops_no_task(
    root: SharedRoot, other: SharedRoot, caplog: pytest.LogCaptureFixture, note: bytes
) -> None:
    prepare(root, "rows")
    root.store.put(f".deleted/{PREPARED}", note)
    other.end_forgetting()
    assert root.store.list(".deleted/") == {}
    assert root.is_whole(PREPARED)
    assert f".deleted/{PREPARED} cannot be read" in caplog.text


def test_what_was_made_anew_since_a_task_began_stays(root: SharedRoot, other: SharedRoot) -> None:
    prepare(root, "old rows")
    node = NodeFiles(other, "run-1", "ExampleGen")
    node.prepare("ExampleGen")
    (other.folder / PREPARED).rmdir()  # a query's result that is replaced
    root.forget(PREPARED)
    prepare(root, "new rows")
    node.take("ExampleGen", [], "")
    assert root.is_whole(PREPARED)
