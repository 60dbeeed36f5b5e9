"""Requests and the versions that they use, while versions are exchanged."""

from __future__ import annotations

import asyncio
import gc
import shutil
import threading
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.serving.server.manager.answers import served, states
from tests.unit.serving.server.manager.conftest import Release
from tests.until import until

pytestmark = pytest.mark.slow


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
    until(lambda: bool(seen))  # version 1
    for version in (2, 3, 4):
        release(version)
        manager.poll()
        until(lambda version=version: seen[-1:] == [version])
        shutil.rmtree(tmp_path / "half" / str(version - 1))
    stop.set()
    for thread in threads:
        thread.join()
    assert not errors
    assert {1, 2, 3, 4} <= set(seen)


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
