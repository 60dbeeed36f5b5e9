"""Other models, and the same ones from elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from serving.server.model_config import ModelConfig
from serving.server.version_policy import VersionPolicy
from tests.unit.serving.server.manager.answers import refused, served, states
from tests.unit.serving.server.manager.conftest import Release

pytestmark = pytest.mark.slow


def test_a_reload_serves_exactly_what_it_lists(release: Release, manage: Any, tmp_path: Path) -> None:
    release(1)
    release(4, "other")
    manager = manage()
    manager.reload([ModelConfig("other", tmp_path / "other")])
    assert manager.names() == ["other"]
    assert served(manager, "other") == 4
    assert refused(lambda: served(manager)) == ("NOT_FOUND", "Servable not found for request: Latest(half)")
    assert states(manager) == {1: "END"}  # as of a version that is unloaded
    assert refused(lambda: manager.states("none")) == ("NOT_FOUND", "Could not find any versions of model none")
    manager.reload([ModelConfig("half", tmp_path / "half")])
    assert (states(manager), states(manager, "other")) == ({1: "AVAILABLE"}, {4: "END"})


def test_a_reload_with_a_folder_that_is_not_there_changes_nothing(
    release: Release, manage: Any, tmp_path: Path
) -> None:
    release(1)
    manager = manage()
    code, message = refused(lambda: manager.reload([ModelConfig("other", tmp_path / "missing")]))
    assert code == "INVALID_ARGUMENT"
    assert "Could not find base path" in message
    assert served(manager) == 1


def test_a_reload_says_which_model_is_not_available(release: Release, manage: Any, tmp_path: Path) -> None:
    release(1)
    release(1, "broken", broken=True)
    (tmp_path / "empty").mkdir()
    manager = manage()
    names = ("half", "broken", "empty")
    code, message = refused(lambda: manager.reload([ModelConfig(name, tmp_path / name) for name in names]))
    assert code == "UNKNOWN"
    assert message.startswith(
        "2 model(s) did not become available: {{{name: broken version: 1} due to error: DATA_LOSS: "
    )
    assert "}, {{name: empty}" in message
    assert message.endswith("}, }")
    assert "half" not in message.replace(str(tmp_path), "")
    assert served(manager) == 1


def test_a_reload_waits_for_a_version_of_each_new_model_only(release: Release, manage: Any, tmp_path: Path) -> None:
    release(1)
    release(4, "other")
    release(1, "broken", broken=True)
    manager = manage()

    def specific(name: str, *versions: int) -> ModelConfig:
        return ModelConfig(name, tmp_path / name, VersionPolicy("specific", specific=versions))

    manager.reload([specific("half", 1, 999), specific("other", 4, 5)])
    assert (served(manager), served(manager, "other")) == (1, 4)
    manager.reload([specific("half", 999)])
    assert refused(lambda: served(manager))[0] == "NOT_FOUND"
    both = [ModelConfig(name, tmp_path / name) for name in ("half", "broken")]
    assert refused(lambda: manager.reload(both))[0] == "UNKNOWN"
    manager.reload(both)  # by then it is no new one
    assert served(manager) == 1
    assert states(manager, "broken") == {1: "END"}


def test_a_model_whose_folder_moves_is_served_from_the_new_one(release: Release, manage: Any, tmp_path: Path) -> None:
    release(1)
    release(1, "moved")
    manager = manage()
    with manager.lease("half") as before:
        pass
    manager.reload([ModelConfig("half", tmp_path / "moved")])
    with manager.lease("half") as after:
        assert after is not before
    assert states(manager) == {1: "AVAILABLE"}


def test_a_model_whose_new_folder_is_mended_is_served_from_it(release: Release, manage: Any, tmp_path: Path) -> None:
    release(1)
    broken = release(1, "moved", broken=True)
    manager = manage()
    with manager.lease("half") as before:
        pass
    moved = [ModelConfig("half", tmp_path / "moved")]
    for _ in range(2):
        assert refused(lambda: manager.reload(moved))[0] == "UNKNOWN"
        with manager.lease("half") as meanwhile:
            assert meanwhile is before
    shutil.rmtree(broken)
    release(1, "moved")
    manager.reload(moved)
    with manager.lease("half") as after:
        assert after is not before
    manager.reload([ModelConfig("half", tmp_path / "half")])
    assert states(manager) == {1: "AVAILABLE"}
