"""Which versions are served: the newest ones that there are, or those of a policy."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from serving.server.manager import ModelManager
from serving.server.model_config import ModelConfig
from serving.server.version_policy import VersionPolicy
from tests.unit.serving.server.manager.answers import refused, served, states
from tests.unit.serving.server.manager.conftest import Release
from tests.until import until

pytestmark = pytest.mark.slow


def test_the_newest_version_is_served_and_the_one_before_it_unloaded(release: Release, manage: Any) -> None:
    release(1)
    manager = manage()
    assert served(manager) == 1
    release("0002")
    manager.poll()
    assert served(manager) == 2
    assert states(manager) == {2: "AVAILABLE", 1: "END"}
    assert [state.version for state in manager.states("half")] == [2, 1]
    assert refused(lambda: served(manager, "half", 1)) == (
        "NOT_FOUND",
        "Servable not found for request: Specific(half, 1)",
    )


def test_the_old_version_answers_until_the_new_one_does(
    release: Release, manage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(1)
    manager = manage()
    seen = []

    def look(*_: Any) -> int:
        seen.append((served(manager), states(manager)))
        return 0

    monkeypatch.setattr("serving.server.version_loader.warm_up", look)
    release(2)
    manager.poll()
    assert seen == [(1, {2: "LOADING", 1: "AVAILABLE"})]


def test_deleting_the_newest_version_rolls_back(release: Release, manage: Any) -> None:
    release(1)
    newest = release(2)
    manager = manage()
    assert states(manager) == {2: "AVAILABLE"}
    shutil.rmtree(newest)
    manager.poll()
    assert served(manager) == 1


def test_deleting_all_versions_leaves_none(release: Release, manage: Any) -> None:
    only = release(1)
    manager = manage()
    shutil.rmtree(only)
    manager.poll()
    assert refused(lambda: served(manager)) == ("NOT_FOUND", "Servable not found for request: Latest(half)")
    assert states(manager) == {1: "END"}
    release(1)
    manager.poll()
    assert served(manager) == 1


def test_a_folder_that_is_away_for_a_moment_takes_nothing_down(release: Release, manage: Any, tmp_path: Path) -> None:
    release(1)
    manager = manage()
    (tmp_path / "half").rename(tmp_path / "away")
    manager.poll()
    assert served(manager) == 1


@pytest.mark.parametrize(
    ("policy", "versions"),
    [
        (VersionPolicy("all"), {3, 2, 1}),
        (VersionPolicy(latest=2), {3, 2}),
        (VersionPolicy("specific", specific=(1, 3, 9)), {3, 1}),
    ],
)
def test_several_versions_are_served_by_policy(
    release: Release, manage: Any, tmp_path: Path, policy: VersionPolicy, versions: set[int]
) -> None:
    for version in (1, 2, 3):
        release(version)
    manager = manage(ModelConfig("half", tmp_path / "half", policy))
    assert {version for version in (1, 2, 3) if states(manager).get(version) == "AVAILABLE"} == versions
    assert served(manager) == 3
    assert served(manager, "half", min(versions)) == min(versions)


def test_ready_is_when_each_model_was_available_once(release: Release, tmp_path: Path) -> None:
    release(1)
    (tmp_path / "other").mkdir()
    manager = ModelManager([ModelConfig(name, tmp_path / name) for name in ("half", "other")], poll_seconds=0.01)
    manager.start()
    try:
        assert manager.wait_until_loaded(120)
        assert served(manager) == 1
        assert not manager.ready()
        first = release(1, "other")
        until(manager.ready)
        shutil.rmtree(first)
        until(lambda: states(manager, "other") == {1: "END"})
        assert manager.ready()
    finally:
        manager.close()
    assert manager.names() == []
