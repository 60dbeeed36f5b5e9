"""Processes that take a share of a node's work, forked before the node runs TensorFlow or opens the metadata store."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, Pipe
from typing import Any

from apache_beam.internal import pickler

from runners.interrupt import SIGNALS, uninterrupted
from runners.worker import die_with
from schemas.errors import RunError

_LOG = logging.getLogger(__name__)


class Crew:
    """Idle processes, each of which can be given one piece of work at a time.

    A process in which TensorFlow has run, or gRPC has threads, cannot be forked, and a new one takes seconds to import
    the libraries; so they are made early, which takes some milliseconds each. They write to this process's log and end
    with it.

    Args:
        size: how many; where the machine allows fewer processes, these are all.
    """

    def __init__(self, size: int) -> None:
        self._pids: list[int] = []
        self._pipes: list[Connection] = []
        self._busy: list[int] = []
        for number in range(size):
            try:
                with uninterrupted():
                    self._fork()
            except OSError as error:
                _LOG.warning("Only %d of %d processes to share work: %s", number, size, error)
                return

    def __len__(self) -> int:
        return len(self._pids)

    def start(self, works: Sequence[Callable[[], Any]]) -> None:
        """Gives the first processes one piece of work each.

        Args:
            works: no more than there are processes; Beam's pickler must take them.
        """
        self._busy = list(range(len(works)))
        for number, work in enumerate(works):
            try:
                self._pipes[number].send_bytes(pickler.dumps(work))
            except ConnectionError as error:
                raise self._ended(number) from error

    def results(self) -> list[Any]:
        """Waits for what was started, and returns its results in that order.

        Raises:
            Exception: what a piece of work raised, as it is where it can be pickled.
            RunError: a process was killed.
        """
        found = []
        for number in self._busy:
            try:
                done, result = pickle.loads(self._pipes[number].recv_bytes())
            except (EOFError, ConnectionError) as error:
                raise self._ended(number) from error
            if not done:
                raise result
            found.append(result)
        return found

    def close(self) -> None:
        """Ends the processes, whatever they do."""
        for pipe in self._pipes:
            pipe.close()
        for pid in self._pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in self._pids:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
        self._pids, self._pipes = [], []

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ended(self, number: int) -> RunError:
        _, status = os.waitpid(self._pids.pop(number), 0)
        self._pipes.pop(number).close()
        code = os.waitstatus_to_exitcode(status)
        return RunError(
            "A process that took a share of the node's work has ended.",
            received=f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}",
            fix="See the node's log. The kernel kills processes when memory runs out: set engine.processes to 1.",
        )

    def _fork(self) -> None:
        ours, theirs = Pipe()
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            pid = os.fork()
        except OSError:
            ours.close()
            theirs.close()
            raise
        if pid == 0:
            _serve(theirs, (ours, *self._pipes), parent)
        theirs.close()
        self._pids.append(pid)
        self._pipes.append(ours)


def _serve(pipe: Connection, others: Sequence[Connection], parent: int) -> None:
    status = 1
    try:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        die_with(parent)
        for other in others:
            other.close()
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # TensorFlow would take the memory that the node's process needs
        while True:
            pipe.send_bytes(_reply(pickler.loads(pipe.recv_bytes())))
    except (EOFError, ConnectionError):  # the node has ended
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _reply(work: Callable[[], Any]) -> bytes:
    try:
        return pickle.dumps((True, work()))
    except Exception as error:  # any failure is the node's
        traceback.print_exc()
        try:
            told = pickle.dumps((False, error))
            pickle.loads(told)
            return told
        except Exception:  # an exception need not survive this
            return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))
