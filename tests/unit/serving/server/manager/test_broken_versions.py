"""Versions that cannot be loaded, or not yet."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from serving.server.model_config import ModelConfig
from serving.server.version_policy import VersionPolicy
from tests.unit.serving.server.manager.answers import served, states
from tests.unit.serving.server.manager.conftest import Release

pytestmark = pytest.mark.slow


def test_a_broken_version_takes_no_good_one_down_and_is_tried_again_with_other_files(
    release: Release, manage: Any, model: Path
) -> None:
    release(1)
    manager = manage()
    broken = release(2, broken=True)
    manager.poll()
    assert served(manager) == 1
    (state, _) = manager.states("half")
    assert (state.version, state.state) == (2, "END")
    assert state.error_code != "OK"
    assert state.error_message
    shutil.copy(model / "saved_model.pb", broken)
    manager.poll()
    assert served(manager) == 2
    assert states(manager) == {2: "AVAILABLE", 1: "END"}


def test_what_is_wrong_with_a_version_has_a_code(release: Release, manage: Any, tmp_path: Path) -> None:
    release(1, broken=True)
    (release(2) / "saved_model.pb").write_bytes(b"")  # without the tag `serve`
    (release(3) / "saved_model.pb").unlink()
    manager = manage(ModelConfig("half", tmp_path / "half", VersionPolicy("all")))
    codes = {state.version: state.error_code for state in manager.states("half")}
    assert codes == {1: "DATA_LOSS", 2: "NOT_FOUND", 3: "NOT_FOUND"}


def test_a_version_that_is_being_copied_is_served_when_all_of_it_is_there(
    release: Release, manage: Any, model: Path
) -> None:
    release(1)
    manager = manage()
    target = release(2)
    shutil.rmtree(target / "variables")
    manager.poll()
    assert served(manager) == 1
    shutil.copytree(model / "variables", target / "variables")
    manager.poll()
    assert served(manager) == 2


def test_a_broken_version_with_the_same_files_is_tried_again_later_and_later(
    release: Release, manage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []
    monkeypatch.setattr("serving.server.version_loader._LOG.warning", lambda *arguments: None)
    monkeypatch.setattr(
        "serving.server.version_loader.Servable",
        lambda *arguments: tried.append(arguments[1]) or (_ for _ in ()).throw(OSError()),
    )
    now = [1000.0]
    monkeypatch.setattr("serving.server.model_versions.time", type("Clock", (), {"monotonic": lambda: now[0]}))
    release(1)
    manager = manage()
    for seconds, count in ((0.5, 1), (0.6, 2), (1.0, 2), (1.1, 3)):
        now[0] += seconds
        manager.poll()
        assert len(tried) == count


def test_broken_versions_wait_for_their_time_however_many_there_are(
    release: Release, manage: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.server.version_loader._KEPT_ENDED", 1)
    for version in (1, 2, 3):
        release(version, broken=True)
    manager = manage(ModelConfig("half", tmp_path / "half", VersionPolicy("all")))
    tried = []
    monkeypatch.setattr("serving.server.version_loader.Servable", lambda *arguments: tried.append(arguments[1]))
    monkeypatch.setattr("serving.server.model_versions.time", type("Clock", (), {"monotonic": lambda: 0.0}))
    manager.poll()
    assert tried == []
    assert states(manager) == {3: "END", 2: "END", 1: "END"}


def test_when_the_newest_is_broken_at_the_start_the_one_before_it_is_served(release: Release, manage: Any) -> None:
    release(1)
    release(2, broken=True)
    manager = manage()
    assert served(manager) == 1
    assert manager.states("half")[0].state == "END"
