"""The split of live requests, and when it holds."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from serving.server.batching import BatchingOptions
from serving.server.canary_traffic import CanaryTraffic, WatchedServable
from serving.server.manager import ModelManager
from serving.server.model_config import ModelConfig
from serving.server.request_error import RequestError
from serving.server.servable import Servable
from serving.server.version_policy import VersionPolicy
from serving.traffic_split import TrafficSplit, write_split
from tests.tiny_models import half_plus

LABELS = {"stable": 1, "canary": 2}


def traffic(percent: float) -> CanaryTraffic:
    return CanaryTraffic(TrafficSplit(id="a", stable=1, canary=2, percent=percent))


def test_the_canary_gets_its_part_of_what_stable_and_nobody_is_asked_for() -> None:
    found = traffic(20)
    for label in ("stable", None):
        versions = [found.choose(label) for _ in range(1000)]
        assert set(versions) == {1, 2}
        assert 130 < versions.count(2) < 270  # by chance not once in ten million
    assert {found.choose("canary") for _ in range(100)} == {2}
    assert found.choose("other") is None
    assert {traffic(0).choose(None) for _ in range(100)} == {1}


def test_it_holds_as_long_as_labels_and_versions_are_those_that_it_was_written_for() -> None:
    found = traffic(20)
    assert found.holds(LABELS, [2, 1])
    assert not found.holds({"stable": 1, "canary": 1}, [2, 1])
    assert not found.holds({"stable": 2, "canary": 2}, [2, 1])
    assert not found.holds({}, [2, 1])
    assert not found.holds(LABELS, [1])


def test_what_cannot_be_counted_is_told_once_and_is_no_error_of_the_request(caplog: pytest.LogCaptureFixture) -> None:
    found = traffic(20)
    for _ in range(2):
        found.answered(2, 0.001, {("serving_default", "y"): np.zeros(1, [("a", "i4"), ("b", "i4")])})
    assert [record.message for record in caplog.records] == ["What version 2 predicts cannot be counted."]
    assert found.snapshot()[2].requests == 2


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("half")
    for version in (1, 2):
        half_plus(folder / str(version), float(version))
    return folder


def test_a_manager_counts_by_version_what_predicts(base: Path) -> None:
    write_split(base, TrafficSplit(id="a", stable=1, canary=2, percent=0))
    manager = ModelManager([ModelConfig("half", base, VersionPolicy("all"), LABELS)], poll_seconds=0)
    manager.poll()
    for label, version in (("stable", 1), (None, 1), ("canary", 2)):
        with manager.lease("half", label=label, predicts=True) as servable:
            assert servable.version == version
            servable.run("serving_default", {"x": np.ones((3, 1), np.float32)})
    with pytest.raises(RequestError), manager.lease("half", label="canary", predicts=True) as servable:
        servable.run("serving_default", {})
    with manager.lease("half", 2, predicts=True), manager.lease("half") as described:  # by number, or for metadata
        assert described.version == 1

    told = manager.canaries()["half"].told()
    assert {version: (one.requests, one.errors) for version, one in told.seen.items()} == {1: (2, 0), 2: (2, 1)}
    assert sum(told.seen[1].latencies) == 2
    assert (list(told.seen[1].predictions["serving_default/y"].numbers.values()), told.seen[2].requests) == ([6], 2)

    # A folder that is away and a file that cannot be read change nothing, another split counts anew, and none is none.
    away = base.rename(base.with_name("away"))
    manager.poll()
    assert "half" in manager.canaries()
    away.rename(base)
    (base / "traffic.json").write_text("{")
    manager.poll()
    assert manager.canaries()["half"].told().seen[2].requests == 2
    write_split(base, TrafficSplit(id="b", stable=1, canary=2, percent=0))
    manager.poll()
    assert manager.canaries()["half"].told().seen[2].requests == 0
    write_split(base, None)
    manager.poll()
    assert manager.canaries() == {}
    manager.close()


def test_a_canary_is_charged_with_calls_that_their_deadline_ended_and_not_with_those_given_up(tmp_path: Path) -> None:
    servable = Servable("half", 2, half_plus(tmp_path / "2", 2.0), BatchingOptions(2, 3_600_000_000))
    found = traffic(20)

    async def cancelled(seconds: float) -> None:
        watched = WatchedServable(servable, found)
        feeds = {"x": np.zeros((1, 1), np.float32)}
        deadline = time.monotonic() + seconds
        task = asyncio.ensure_future(watched.answer("serving_default", feeds, deadline=deadline, threads=threads))
        await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises((asyncio.CancelledError, RequestError)) as error:  # a slow machine is late by itself
            await task
        watched.ended(error.value)

    with ThreadPoolExecutor(1) as threads:
        servable.run("serving_default", {"x": np.zeros((3, 1), np.float32)})  # what comes first takes long
        asyncio.run(cancelled(3600.0))
        assert found.snapshot()[2].requests == 0
        asyncio.run(cancelled(0.018))
        assert (found.snapshot()[2].requests, found.snapshot()[2].errors) == (1, 1)
    servable.close()
