"""Walks a graph of nodes, each in a worker process: whatever is ready runs, and a failure stops only what needs it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runners.interrupt import uninterrupted
from runners.progress import Progress
from runners.usage import Usage
from runners.worker import Worker
from schemas.errors import ScalableTFError

POLL_SECONDS = 0.02
"""How often running nodes are looked at."""


@dataclass
class Walk:
    """How each node ended.

    Attributes:
        results: what the nodes that ended well gave, in the order in which they ended.
        errors: why the others failed.
        not_run: nodes that were not started because one that they need failed.
        usage: time and memory of each node that was started.
    """

    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    errors: dict[str, ScalableTFError] = field(default_factory=dict)
    not_run: list[str] = field(default_factory=list)
    usage: dict[str, Usage] = field(default_factory=dict)


def walk(
    upstream: Mapping[str, Collection[str]],
    work: Callable[[str], dict[str, Any]],
    *,
    logs: Path,
    parallel: int,
    progress: Progress,
    grace: float = 5.0,
) -> Walk:
    """Runs every node once, after those that it needs.

    Args:
        upstream: for each node, the nodes that it needs; together they have no cycle.
        work: runs one node, in a process of its own, and returns something JSON-ready; its `state` is shown.
        logs: folder for the log files, `<node>.log`.
        parallel: how many nodes may run at the same time.
        progress: told of every change.
        grace: seconds that a node has to end after SIGTERM, before it is killed.

    Returns:
        How each node ended. An interrupt stops the running workers and goes on to the caller.
    """
    done = Walk()
    waiting = list(upstream)
    running: dict[str, Worker] = {}
    with contextlib.ExitStack() as started:
        while True:
            for node in [node for node in waiting if done.results.keys() >= set(upstream[node])]:
                if len(running) < parallel:
                    with uninterrupted():
                        worker = Worker(node, logs / f"{node}.log", lambda node=node: work(node))  # type: ignore[misc]
                        started.callback(worker.stop, grace)
                    waiting.remove(node)
                    running[node] = worker
                    progress.set(node, "running")
            if not running:
                break
            time.sleep(POLL_SECONDS)
            for node in [node for node, worker in running.items() if worker.poll()]:
                collect(node, running.pop(node), done, progress)
            progress.refresh()
    for node in waiting:
        done.not_run.append(node)
        progress.set(node, "not run")
    return done


def collect(node: str, worker: Worker, done: Walk, progress: Progress) -> None:
    """Notes how a node ended."""
    done.usage[node] = worker.usage
    try:
        done.results[node] = worker.result()
    except ScalableTFError as error:
        done.errors[node] = error
        progress.set(node, "failed", worker.usage)
    else:
        progress.set(node, done.results[node].get("state", "complete"), worker.usage)
