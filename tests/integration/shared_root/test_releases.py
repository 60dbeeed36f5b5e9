"""Releases of tasks with disks of their own: whose number it is, and which ones are retired."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from runners.kubeflow.root.node_files import NodeFiles
from runners.kubeflow.root.shared_root import SharedRoot
from schemas.errors import ReleaseError
from serving.audit_log import AuditEntry
from serving.blessing import Blessing
from serving.release import Provenance, Release
from serving.releases import ReleaseStore
from serving.served_models import with_model


def test_a_name_belongs_to_one_run(root: SharedRoot, other: SharedRoot) -> None:
    assert root.claim("releases/m/3", "run-1")
    assert root.claim("releases/m/3", "run-1")
    assert not other.claim("releases/m/3", "run-2")
    assert root.claims("releases") == ["releases/m/3"]
    assert not other.is_claimed_by("releases/m/3", "run-2")


def _release(root: SharedRoot, run_id: str, name: str) -> Release:
    """What a Pusher does in its task: it looks what there is, publishes on its own disk, and takes that to the root."""
    model = root.folder / "model"
    model.mkdir(parents=True, exist_ok=True)
    (model / "saved_model.pb").write_text(name)
    store = ReleaseStore(root.folder / "releases", "m")
    blessing = Blessing(blessed=True, failures=())
    release = store.publish(model, Provenance(pipeline="p", run_id=run_id, blessing=blessing))
    store.retain(2, protected=[release.version])
    return release


def _served(**labels: int) -> bytes:
    config = with_model(ModelServerConfig(), "m", "/models/m", labels=labels, versions=None)
    return text_format.MessageToString(config).encode()


def test_a_version_with_a_label_is_not_retired(root: SharedRoot, tmp_path: Path) -> None:
    def versions() -> list[str]:
        return sorted(name.split("/")[2] for name in root.store.list("releases/m/") if name.endswith("saved_model.pb"))

    for number in range(1, 6):
        task = SharedRoot(tmp_path / f"task-{number}", root.url)
        pusher = NodeFiles(task, f"run-{number}", "Pusher")
        pusher.prepare("Pusher")
        _release(task, f"run-{number}", f"model {number}")
        if number == 4:  # while a task is at work that will retire version 2
            root.store.put("releases/models.config", _served(stable=1, canary=2))
        pusher.take("Pusher", [], "")
        if number == 2:
            root.store.put("releases/models.config", _served(stable=1))
    assert versions() == ["1", "2", "4", "5"]  # 3 had none


def test_the_version_that_a_rollback_goes_back_to_is_not_retired(root: SharedRoot, tmp_path: Path) -> None:
    log = [
        AuditEntry.model_validate(
            {
                "time": "2026-11-25T01:00:00Z", "action": "promote", "label": "stable", "from": before, "to": after,
                "labels": {"stable": after}, "who": "me", "host": "here",
            }
        )
        for before, after in ((None, 1), (1, 3))
    ]  # fmt: skip
    for number in range(1, 5):
        task = SharedRoot(tmp_path / f"task-{number}", root.url)
        pusher = NodeFiles(task, f"run-{number}", "Pusher")
        if number == 3:
            lines = "".join(f"{entry.model_dump_json(by_alias=True)}\n" for entry in log)
            root.store.put("releases/m/audit.jsonl", lines.encode())
        pusher.prepare("Pusher")
        _release(task, f"run-{number}", f"model {number}")
        pusher.take("Pusher", [], "")
    kept = {name.split("/")[2] for name in root.store.list("releases/m/") if name.endswith("saved_model.pb")}
    assert kept == {"1", "3", "4"}


def test_releases_are_numbered_across_disks_and_retired_in_the_root(root: SharedRoot, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        task = SharedRoot(tmp_path / f"task-{number}", root.url)
        pusher = NodeFiles(task, f"run-{number}", "Pusher")
        pusher.prepare("Pusher")
        assert _release(task, f"run-{number}", f"model {number}").version == number
        pusher.take("Pusher", [], "")
    names = {name for name in root.store.list("") if not name.startswith(".")}
    assert names == {f"releases/m/{n}/{file}" for n in (2, 3) for file in ("release.json", "saved_model.pb")}
    assert root.store.get("releases/m/3/saved_model.pb") == b"model 3"


def test_of_two_pushers_with_one_number_the_second_is_told_and_gets_the_next(
    root: SharedRoot, other: SharedRoot
) -> None:
    first, second = NodeFiles(root, "run-1", "Pusher"), NodeFiles(other, "run-2", "Pusher")
    for files in (first, second):
        files.prepare("Pusher")
    _release(root, "run-1", "one")
    _release(other, "run-2", "two")
    first.take("Pusher", [], "")
    with pytest.raises(ReleaseError, match="Another run is releasing this version"):
        second.take("Pusher", [], "")

    retried = SharedRoot(other.folder.with_name("again"), root.url)
    files = NodeFiles(retried, "run-2", "Pusher")
    files.prepare("Pusher")
    assert _release(retried, "run-2", "two").version == 2
    files.take("Pusher", [], "")
    assert root.store.get("releases/m/1/saved_model.pb") == b"one"


def test_a_release_that_was_not_taken_whole_is_taken_again_by_its_run_only(root: SharedRoot, tmp_path: Path) -> None:
    root.claim("releases/m/1", "run-1")
    root.store.put("releases/m/1/saved_model.pb", b"half")
    versions = {}
    for run_id in ("run-1", "run-2"):
        task = SharedRoot(tmp_path / run_id, root.url)
        NodeFiles(task, run_id, "Pusher").prepare("Pusher")
        versions[run_id] = _release(task, run_id, "whole").version
    assert versions == {"run-1": 1, "run-2": 2}
