"""A worker process that runs one node: forked from the warmed parent, isolated, logged, and ended with its parent."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runners.interrupt import SIGNALS
from runners.usage import Usage
from schemas.errors import RunError, ScalableTFError, from_dict, from_traceback
from schemas.storage_error import storage_error

_PR_SET_PDEATHSIG = 1  # prctl(2)


class Worker:
    """A child process that runs `work` and hands back its JSON-ready result.

    The parent has imported TensorFlow but never run an operation of it (a fork after that would hang), so the child
    starts in milliseconds. Its stdout and stderr, and those of everything that it starts, go to the log file. It gets a
    process group of its own, which `stop` ends whole, and the kernel ends it when the parent dies.

    Args:
        name: node id, for messages.
        log: file that takes the child's output; appended to.
        work: runs in the child.
    """

    def __init__(self, name: str, log: Path, work: Callable[[], dict[str, Any]]) -> None:
        self.name = name
        self.log = log
        self.usage = Usage(0.0, 0.0, 0.0)
        self._started = time.monotonic()
        self._ended = False
        self._parent = os.getpid()
        read, write = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(read)
            self._child(write, work)
        os.close(write)
        self._result = read
        self._text = b""
        os.set_blocking(read, False)
        with contextlib.suppress(OSError):  # the child does the same; whoever is first
            os.setpgid(self.pid, self.pid)

    def poll(self) -> bool:
        """Whether the child has ended; after that `result` gives what it gave."""
        if self._ended:
            return True
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self._result, 1 << 16):
                self._text += piece
        pid, self._status, used = os.wait4(self.pid, os.WNOHANG)
        if pid == 0:
            return False
        self._ended = True
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self._result, 1 << 16):
                self._text += piece
        os.close(self._result)
        seconds = time.monotonic() - self._started
        self.usage = Usage(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
        return True

    @property
    def killed(self) -> bool:
        """Whether a signal has ended the child, which could say nothing any more."""
        return self._ended and os.WIFSIGNALED(self._status)

    def result(self) -> dict[str, Any]:
        """What `work` returned.

        Raises:
            ScalableTFError: as `work` raised it.
            RunError: the child failed in any other way, or was killed.
        """
        try:
            message = json.loads(self._text) if self._text else {}
        except ValueError:  # killed in the middle of it
            message = {}
        if "result" in message:
            result: dict[str, Any] = message["result"]
            return result
        if "error" in message:
            error = from_dict(message["error"])
            error.where = error.where or f"node {self.name}"
            raise error
        if os.WIFSIGNALED(self._status):
            number = os.WTERMSIG(self._status)
            hint = " The kernel kills processes when memory runs out." if number == signal.SIGKILL else ""
            what = f"The node's process was killed by {signal.Signals(number).name}.{hint}"
        else:
            what = "The node failed."
        raise RunError(what, where=f"node {self.name}", received=message.get("crash"), fix=f"See its log: {self.log}")

    def stop(self, grace: float = 5.0) -> None:
        """Ends the child and everything that it started: SIGTERM, then SIGKILL once it has ended or `grace` is over."""
        if self._ended:
            return
        self._signal(signal.SIGTERM)
        deadline = time.monotonic() + grace
        ended = self.poll()
        while not ended and time.monotonic() < deadline:
            time.sleep(0.02)
            ended = self.poll()
        self._signal(signal.SIGKILL)  # what the child had started may outlive it
        while not ended:
            time.sleep(0.02)
            ended = self.poll()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def _child(self, write: int, work: Callable[[], dict[str, Any]]) -> None:
        status = 1
        try:
            with contextlib.suppress(OSError):
                os.setpgid(0, 0)
            for number in SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            die_with(self._parent)
            try:
                log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
                os.dup2(log, 1)
                os.dup2(log, 2)
                # In a notebook or a test the parent's streams are not files 1 and 2.
                sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
                sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
                message = {"result": work()}
                status = 0
            except Exception as error:  # every failure must reach the parent, whatever it is
                message = _failure(error, self.log.parent)
                _print_traceback()
            with os.fdopen(write, "w") as pipe:
                json.dump(message, pipe)
        except BaseException:
            _print_traceback()
        finally:
            with contextlib.suppress(OSError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)  # TensorFlow's and Beam's exit handlers take seconds and have nothing to do here


def _print_traceback() -> None:
    # The disk that the log is on may be the one that is full.
    with contextlib.suppress(OSError):
        traceback.print_exc()


def _failure(error: BaseException, folder: Path) -> dict[str, Any]:
    """A user's mistake keeps its class and text, also when a framework has wrapped it; so does what the disk refuses.

    Args:
        error: what the work raised.
        folder: of the run, on the disk that is likely to be the one where an error names no file.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ScalableTFError):
            return {"error": cause.to_dict()}
        cause = cause.__cause__ or cause.__context__
    known = from_traceback(str(error)) or storage_error(error, folder)
    if known is not None:
        return {"error": known.to_dict()}
    lines = str(error).strip().splitlines() or [""]
    # A failure on another worker comes with that worker's traceback, at the end of which it says why.
    told = lines[-1] if any(line.endswith("Traceback (most recent call last):") for line in lines) else lines[0]
    return {"crash": f"{type(error).__name__}: {told[:500]}"}


def die_with(parent: int) -> None:
    """Makes the kernel kill this process when its parent, of this number, dies."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # the parent died before the call above
        os._exit(1)
