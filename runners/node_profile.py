"""A profile of one node, made in its own process."""

from __future__ import annotations

import cProfile
import io
import logging
import os
import pstats
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.execution_trace import TRACED

_LOG = logging.getLogger(__name__)

FOLDER = "profiles"
"""In the folder of the run."""

STATISTICS, TEXT = ".pstats", ".txt"
_PLACES = 40


@contextmanager
def profiled(folder: Path, node_id: str) -> Iterator[None]:
    """Profiles this thread meanwhile, and has a Trainer trace its training.

    NODE.pstats and NODE.txt are written when the node has failed, too. One that is killed leaves neither.

    Args:
        folder: for the two files; it need not be there.
        node_id: the node.
    """
    profile, began = cProfile.Profile(), time.monotonic()
    traced = TRACED.set(True)
    profile.enable()
    try:
        yield
    finally:
        profile.disable()
        TRACED.reset(traced)
        try:
            _write(profile, folder, node_id, time.monotonic() - began)
        except OSError as error:  # what the node has done is done
            _LOG.warning("The profile could not be written: %s", error)


def _write(profile: cProfile.Profile, folder: Path, node_id: str, seconds: float) -> None:
    folder.mkdir(exist_ok=True)
    text = io.StringIO()
    text.write(f"{node_id}: {seconds:.2f} s. {_process()}\n\n")
    statistics = pstats.Stats(profile, stream=text)
    for title, order in (
        ("By the time within a function and what it calls", "cumulative"),
        ("By the time within the function alone", "tottime"),
    ):
        text.write(f"{title}\n")
        statistics.sort_stats(order).print_stats(_PLACES)
    (folder / f"{node_id}{TEXT}").write_text(text.getvalue(), encoding="utf-8")
    part = folder / f".{node_id}{STATISTICS}"
    statistics.dump_stats(part)
    os.replace(part, folder / f"{node_id}{STATISTICS}")


def _process() -> str:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return (
        f"The whole process: {own.ru_utime + own.ru_stime:.2f} s of processor time, and "
        f"{children.ru_utime + children.ru_stime:.2f} s in processes that it started; "
        f"peak memory {own.ru_maxrss / 1024:.0f} MiB, and {children.ru_maxrss / 1024:.0f} MiB in the largest of those."
    )
