"""Walks a graph of nodes by a Beam pipeline, as tfx.orchestration.beam does: a step a node, which waits for others'.

The pipeline says when a node's turn has come; it is then run as `runners.walk` runs it, in a process forked from the
one that has loaded the libraries. A fork needs a process without threads, and Beam has many: so Beam runs in a process
of its own.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from runners.interrupt import uninterrupted
from runners.progress import Progress
from runners.walk import POLL_SECONDS, Walk, collect
from runners.worker import Worker

_TURN, _WELL, _BADLY = b"t", b"w", b"b"


def beam_walk(
    upstream: Mapping[str, Collection[str]],
    work: Callable[[str], dict[str, Any]],
    *,
    logs: Path,
    parallel: int,
    progress: Progress,
    grace: float = 5.0,
) -> Walk:
    """Runs every node once, after those that it needs; arguments and result are those of `walk`.

    Beam's own runner takes one step at a time, so `parallel` is of no use.

    Raises:
        RunError: Beam's process failed or was killed.
    """
    del parallel
    done = Walk()
    running: dict[str, Worker] = {}
    with contextlib.ExitStack() as opened, selectors.DefaultSelector() as asked:
        ends = {node: socket.socketpair() for node in upstream}
        for node, pair in ends.items():
            for end in pair:
                opened.enter_context(end)
            asked.register(pair[0], selectors.EVENT_READ, node)
        with uninterrupted():
            theirs = {node: end for node, (_, end) in ends.items()}
            walker = Worker("Beam", logs / "Beam.log", lambda: _walk(upstream, theirs))
            opened.callback(walker.stop, grace)
        while not walker.poll():
            for key, _ in asked.select(POLL_SECONDS):
                asked.unregister(key.fileobj)
                with uninterrupted():
                    node = key.data
                    worker = Worker(node, logs / f"{node}.log", lambda node=node: work(node))  # type: ignore[misc]
                    opened.callback(worker.stop, grace)
                running[node] = worker
                progress.set(node, "running")
            for node in [node for node, worker in running.items() if worker.poll()]:
                collect(node, running.pop(node), done, progress)
                ends[node][0].send(_WELL if node in done.results else _BADLY)
            progress.refresh()
        walker.result()
    done.not_run = [node for node in upstream if node not in done.usage]
    for node in done.not_run:
        progress.set(node, "not run")
    return done


def _walk(upstream: Mapping[str, Collection[str]], ends: Mapping[str, socket.socket]) -> dict[str, Any]:
    """The work of Beam's process."""
    # Beam cannot check the types of as many side inputs as a node has others before it.
    with beam.Pipeline(FnApiRunner(), argv=["--no_pipeline_type_check"]) as pipeline:
        start = pipeline | "Start" >> beam.Create([None])
        failures: dict[str, Any] = {}
        for node, needed in upstream.items():
            before = [beam.pvalue.AsIter(failures[name]) for name in needed]
            failures[node] = start | node >> beam.ParDo(_Node(node, ends[node].fileno()), *before)
    return {}


class _Node(beam.DoFn):
    """Waits until a node has run; gives its name if it failed or was not run, else nothing.

    Args:
        node: its name.
        descriptor: of the socket to whoever runs it, which is open in this process.
    """

    def __init__(self, node: str, descriptor: int) -> None:
        self._node = node
        self._descriptor = descriptor

    def process(self, element: None, *failures: Iterable[str]) -> Iterator[str]:
        if any(True for names in failures for _ in names):
            yield self._node
            return
        with socket.socket(fileno=self._descriptor) as end:
            end.send(_TURN)
            if end.recv(1) != _WELL:
                yield self._node
