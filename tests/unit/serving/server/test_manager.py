from __future__ import annotations

import asyncio
import gc
import shutil
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving.server.manager import ModelManager
from serving.server.model_config import ModelConfig
from serving.server.request_error import RequestError
from serving.server.version_policy import VersionPolicy
from tests.tiny_models import half_plus

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return half_plus(tmp_path_factory.mktemp("half") / "model", 2.0)


Release = Callable[..., Path]


@pytest.fixture
def release(model: Path, tmp_path: Path) -> Release:
    """Makes a version of a model: complete ones appear by a rename, as ReleaseStore's do."""

    def make(version: str | int, name: str = "half", *, broken: bool = False) -> Path:
        staging = tmp_path / name / ".staging"
        shutil.copytree(model, staging)
        if broken:
            (staging / "saved_model.pb").write_bytes(b"no model")
        return staging.rename(tmp_path / name / str(version))

    return make


@pytest.fixture
def manage(tmp_path: Path) -> Iterator[Callable[..., ModelManager]]:
    """A manager whose polls are the test's."""
    made: list[ModelManager] = []

    def make(*configs: ModelConfig) -> ModelManager:
        manager = ModelManager(configs or [ModelConfig("half", tmp_path / "half")], poll_seconds=0)
        made.append(manager)
        manager.poll()
        return manager

    yield make
    for manager in made:
        manager.close()


def served(manager: ModelManager, *arguments: Any) -> int:
    with manager.lease(*(arguments or ("half",))) as servable:
        assert servable.run("serving_default", {"x": np.array([[2.0]], np.float32)})["y"].tolist() == [[3.0]]
        return servable.version


def states(manager: ModelManager, name: str = "half") -> dict[int, str]:
    return {state.version: state.state for state in manager.states(name)}


def refused(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(RequestError) as raised:
        call()
    return raised.value.code.name, raised.value.message


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


def test_when_the_newest_is_broken_at_the_start_the_one_before_it_is_served(release: Release, manage: Any) -> None:
    release(1)
    release(2, broken=True)
    manager = manage()
    assert served(manager) == 1
    assert manager.states("half")[0].state == "END"


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


def test_a_version_stays_loaded_as_long_as_a_request_uses_it(release: Release, manage: Any) -> None:
    release(1)
    manager = manage()
    with manager.lease("half") as first:
        session = weakref.ref(first._session)
        with manager.lease("half") as second:
            release(2)
            manager.poll()
            assert states(manager) == {2: "AVAILABLE", 1: "UNLOADING"}
            assert second is first
        assert first.run("serving_default", {"x": np.array([[2.0]], np.float32)})["y"].tolist() == [[3.0]]
    assert states(manager) == {2: "AVAILABLE", 1: "END"}
    gc.collect()
    assert session() is None


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


def test_labels_are_for_loaded_versions(release: Release, manage: Any, tmp_path: Path) -> None:
    release(1)
    release(2)
    config = ModelConfig("half", tmp_path / "half", VersionPolicy("all"), {"stable": 1, "canary": 2})
    manager = manage(config)
    assert (served(manager, "half", None, "stable"), served(manager, "half", None, "canary")) == (1, 2)
    assert [state.version for state in manager.states("half", label="stable")] == [1]
    unknown = ("INVALID_ARGUMENT", "Unrecognized servable version label: other")
    assert refused(lambda: served(manager, "half", None, "other")) == unknown
    code, message = refused(
        lambda: manager.reload([ModelConfig("half", tmp_path / "half", VersionPolicy("all"), {"stable": 3})])
    )
    assert code == "FAILED_PRECONDITION"
    assert "assign label to version 3 of model half" in message
    assert served(manager, "half", None, "stable") == 1
    specific = VersionPolicy("specific", specific=(2,))
    refused(lambda: manager.reload([ModelConfig("half", tmp_path / "half", specific, {"stable": 3})]))
    assert served(manager, "half", None, "stable") == 1  # a refused reload has unloaded nothing
    assert refused(lambda: served(manager, "other", None, "stable")) == (
        "INVALID_ARGUMENT",
        "Unrecognized servable version label: stable",
    )
    release(3)
    manager.poll()
    assert served(manager, "half", None, "stable") == 1
    manager.reload([ModelConfig("half", tmp_path / "half", VersionPolicy("all"), {"stable": 3})])
    assert served(manager, "half", None, "stable") == 3
    assert refused(lambda: served(manager, "half", None, "canary"))[0] == "INVALID_ARGUMENT"


def test_a_label_of_the_start_waits_for_its_version(release: Release, manage: Any, tmp_path: Path) -> None:
    release(1)
    manager = manage(ModelConfig("half", tmp_path / "half", VersionPolicy("all"), {"stable": 1, "canary": 2}))
    assert served(manager, "half", None, "stable") == 1
    assert refused(lambda: served(manager, "half", None, "canary"))[0] == "INVALID_ARGUMENT"
    newest = release(2)
    manager.poll()
    assert served(manager, "half", None, "canary") == 2
    shutil.rmtree(newest)
    manager.poll()
    unloaded = ("NOT_FOUND", "Servable not found for request: Specific(half, 2)")
    assert refused(lambda: served(manager, "half", None, "canary")) == unloaded


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
    assert message.startswith("2 model(s) did not become available: {{{name: broken version: 1} due to error: ")
    assert "name: empty" in message
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
        _until(manager.ready)
        shutil.rmtree(first)
        _until(lambda: states(manager, "other") == {1: "END"})
        assert manager.ready()
    finally:
        manager.close()
    assert manager.names() == []


def test_no_swap_fails_a_request(release: Release, manage: Any, tmp_path: Path) -> None:
    release(1)
    manager = manage()
    stop = threading.Event()
    seen: list[int] = []
    errors: list[Exception] = []

    def ask() -> None:
        while not stop.is_set():
            try:
                seen.append(served(manager))
            except Exception as error:
                errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    _until(lambda: bool(seen))  # version 1
    for version in (2, 3, 4):
        release(version)
        manager.poll()
        _until(lambda version=version: seen[-1:] == [version])
        shutil.rmtree(tmp_path / "half" / str(version - 1))
    stop.set()
    for thread in threads:
        thread.join()
    assert not errors
    assert {1, 2, 3, 4} <= set(seen)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_the_last_user_of_a_version_closes_it_also_where_there_is_no_thread(
    release: Release, manage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    release(1)
    manager = manage()

    async def use() -> None:
        with monkeypatch.context() as limited, manager.lease("half"):
            release(2)
            await asyncio.to_thread(manager.poll)
            limited.setattr(threading.Thread, "start", start)

    asyncio.run(use())
    assert states(manager) == {1: "END", 2: "AVAILABLE"}
