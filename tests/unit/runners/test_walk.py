from __future__ import annotations

import contextlib
import io
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from runners.beam_walk import beam_walk
from runners.progress import Progress
from runners.walk import Walk, walk
from schemas.errors import DataError, RunError

DIAMOND = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}


def run(
    upstream: dict[str, list[str]],
    work: Callable[[str], dict[str, Any]],
    logs: Path,
    parallel: int = 2,
    walker: Callable[..., Walk] = walk,
) -> Walk:
    progress = Progress(Console(file=io.StringIO()), upstream)
    return walker(upstream, work, logs=logs, parallel=parallel, progress=progress)


@pytest.fixture(params=[walk, beam_walk])
def walker(request: pytest.FixtureRequest) -> Callable[..., Walk]:
    """Each of those who walk a graph."""
    walker: Callable[..., Walk] = request.param
    return walker


def test_a_node_runs_after_those_that_it_needs(tmp_path: Path, walker: Callable[..., Walk]) -> None:
    def work(node: str) -> dict[str, Any]:
        before = sorted(path.name for path in tmp_path.glob("*.done"))
        (tmp_path / f"{node}.done").touch()
        return {"before": before}

    done = run(DIAMOND, work, tmp_path, walker=walker)
    assert done.results["a"]["before"] == []
    assert "a.done" in done.results["b"]["before"]
    assert done.results["d"]["before"] == ["a.done", "b.done", "c.done"]
    assert not done.errors
    assert not done.not_run


def test_independent_nodes_run_side_by_side(tmp_path: Path) -> None:
    def work(node: str) -> dict[str, Any]:
        """Each waits for the other, so that neither could end alone."""
        (tmp_path / f"{node}.here").touch()
        while node in "bc" and len(list(tmp_path.glob("[bc].here"))) < 2:
            time.sleep(0.005)
        return {}

    assert run(DIAMOND, work, tmp_path).results.keys() == DIAMOND.keys()


def test_no_more_nodes_run_at_once_than_allowed(tmp_path: Path) -> None:
    def work(node: str) -> dict[str, Any]:
        (tmp_path / f"{node}.here").touch()
        time.sleep(0.1)
        count = len(list(tmp_path.glob("*.here")))
        (tmp_path / f"{node}.here").unlink()
        return {"count": count}

    done = run({name: [] for name in "abcde"}, work, tmp_path, parallel=1)
    assert [result["count"] for result in done.results.values()] == [1] * 5


def test_a_failure_stops_only_what_needs_the_failed_node(tmp_path: Path, walker: Callable[..., Walk]) -> None:
    def work(node: str) -> dict[str, Any]:
        if node == "b":
            raise DataError("No rows.")
        return {}

    done = run({**DIAMOND, "e": ["d"], "f": ["c"]}, work, tmp_path, walker=walker)
    assert sorted(done.results) == ["a", "c", "f"]
    assert done.errors.keys() == {"b"}
    assert done.not_run == ["d", "e"]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """pytest-xdist's workers ignore interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_stops_the_workers(tmp_path: Path, walker: Callable[..., Walk]) -> None:
    parent = os.getpid()

    def work(node: str) -> dict[str, Any]:
        (tmp_path / "pid").write_text(str(os.getpid()))
        os.kill(parent, signal.SIGINT)
        time.sleep(60)
        return {}

    with pytest.raises(KeyboardInterrupt):
        run({"a": []}, work, tmp_path, walker=walker)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_the_death_of_beam_ends_the_walk(tmp_path: Path) -> None:
    def work(node: str) -> dict[str, Any]:
        for other in Path(f"/proc/{os.getppid()}/task/{os.getppid()}/children").read_text().split():
            with contextlib.suppress(OSError):  # an earlier test's, that has ended
                if os.readlink(f"/proc/{other}/fd/1") == str(tmp_path / "Beam.log"):
                    os.kill(int(other), signal.SIGKILL)
        time.sleep(60)
        return {}

    with pytest.raises(RunError, match="killed by SIGKILL"):
        run({"a": []}, work, tmp_path, walker=beam_walk)
