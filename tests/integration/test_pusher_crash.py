"""kill -9 at every step of a release: no visible version is ever incomplete, and a repetition gives exactly one.

A forked child counts what it asks of the file system inside the store (Python's audit events) and kills itself just
before the n-th call, for every n until it gets through.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from serving import saved_model
from serving.blessing import Blessing
from serving.release import FILE_NAME, Provenance, Release
from serving.releases import ReleaseStore

KEEP = 2
EARLIER = 2
"""Versions that are there before; with KEEP 2 the first of them is deleted after the release."""


def origin(span: int) -> Provenance:
    return Provenance(pipeline="taxi", run_id="run", spans=(span,), blessing=Blessing(blessed=True))


def make_model(folder: Path) -> Path:
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph" * 1000)
    (folder / "variables/variables.data-00000-of-00001").write_bytes(b"weights" * 1000)
    return folder


def release(root: Path, source: Path) -> Release:
    """What Pusher does."""
    store = ReleaseStore(root, "taxi")
    released = store.publish(source, origin(99))
    store.retain(KEEP, protected=[released.version])
    return released


def killed_before_call(number: int, root: Path, source: Path) -> bool:
    """Releases in a child that dies before its `number`-th call. Returns whether it was killed."""
    pid = os.fork()
    if pid == 0:
        calls = 0

        def count(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal calls
            if any(
                isinstance(argument, (str, os.PathLike)) and str(argument).startswith(str(root))
                for argument in arguments
            ):
                calls += 1
                if calls == number:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        try:
            release(root, source)
        except BaseException:
            os._exit(1)
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def visible(root: Path) -> dict[int, Path]:
    """Versions as a model server sees them."""
    return {int(path.name): path for path in (root / "taxi").iterdir() if path.name.isdigit()}


def assert_complete(directory: Path) -> None:
    record = Release.load(directory)
    files = saved_model.checksums(directory)
    del files[FILE_NAME]
    assert files == record.files


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_model(tmp_path / "model")


def test_a_kill_at_any_step_leaves_complete_versions_and_a_repetition_releases_once(
    tmp_path: Path, source: Path
) -> None:
    killed = 0
    while True:
        root = tmp_path / f"releases-{killed}"
        for span in range(EARLIER):
            ReleaseStore(root, "taxi").publish(source, origin(span))
        if not killed_before_call(killed + 1, root, source):
            break
        killed += 1

        assert visible(root).keys() in ({1, 2}, {1, 2, 3}, {2, 3})
        for directory in visible(root).values():
            assert_complete(directory)

        assert release(root, source).version == 3
        assert visible(root).keys() == {2, 3}
        assert {path.name for path in (root / "taxi").iterdir()} == {"2", "3", ".lock"}
        for directory in visible(root).values():
            assert_complete(directory)
    # The child itself got through: every call had its kill.
    assert killed > 30
    assert visible(root).keys() == {2, 3}


def test_kill_after_kill_still_ends_in_one_release(tmp_path: Path, source: Path) -> None:
    root = tmp_path / "releases"
    for number in (5, 9, 14, 18, 22, 26, 30, 34):
        killed_before_call(number, root, source)
    release(root, source)
    assert visible(root).keys() == {1}
    assert_complete(visible(root)[1])
