"""One task as a process of this machine."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Collection, Mapping
from typing import BinaryIO

from distribution import task as task_module
from distribution.cluster import Task
from distribution.parent_death import die_with
from distribution.python_path import python_path
from distribution.training_job import TrainingJob

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class TaskProcess:
    """A child process that runs a task; the kernel ends it when this process dies.

    It is forked from this process where TensorFlow has been imported here and nothing more: then it starts in
    milliseconds. Otherwise, because a fork after TensorFlow's first operation would hang, it runs
    `python -m distribution.task`, and takes seconds. It is in a process group of its own: whoever ends this process's
    group leaves it to this one to end the tasks in their order.

    Args:
        job: the training.
        task: which task of it.
        environment: variables to add, which say who it is.
        processors: numbers of the processors that it may use; default: as this process.
        log: takes its output, besides this process's own.

    Attributes:
        pid: process id.
        code: exit code once it has ended, -N where signal N ended it; None before.
    """

    def __init__(
        self,
        job: TrainingJob,
        task: Task,
        environment: Mapping[str, str],
        processors: Collection[int] | None = None,
        log: BinaryIO | None = None,
    ) -> None:
        self.task = task
        self.code: int | None = None
        self._log, self._line = log, b""
        self._parent = os.getpid()
        read, write = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(read)
            self._child(job, write, environment, processors)
        os.close(write)
        os.set_blocking(read, False)
        self._output = read

    def poll(self) -> int | None:
        """Passes on what the task has written, each line with its name before it, and returns `code`."""
        if self.code is not None:
            return self.code
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        self._pass_on()
        if pid:
            self.code = os.waitstatus_to_exitcode(status)
            self._write(b"" if not self._line else b"\n")
            os.close(self._output)
            if self._log is not None:
                self._log.close()
        return self.code

    def signal(self, number: int) -> None:
        """Sends a signal to the task, if it is still there."""
        if self.code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def stop(self, grace: float = 0.0) -> None:
        """Ends the task: SIGTERM, and SIGKILL once the time is over; returns when it has ended."""
        deadline = time.monotonic() + grace
        if grace:
            self.signal(signal.SIGTERM)
        while self.poll() is None:
            if time.monotonic() >= deadline:
                self.signal(signal.SIGKILL)
            time.sleep(0.01)

    def _pass_on(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(self._output, 1 << 16):
                self._write(piece)

    def _write(self, piece: bytes) -> None:
        if self._log is not None:
            self._log.write(piece)
            self._log.flush()
        *lines, self._line = (self._line + piece).split(b"\n")
        for line in lines:
            sys.stdout.write(f"[{self.task}] {line.decode(errors='replace')}\n")

    def _child(
        self, job: TrainingJob, write: int, environment: Mapping[str, str], processors: Collection[int] | None
    ) -> None:
        code = task_module.FAILED
        try:
            os.setpgid(0, 0)
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            die_with(self._parent)
            if processors:
                os.sched_setaffinity(0, processors)
            os.dup2(write, 1)
            os.dup2(write, 2)
            os.environ.update(environment)
            if not _can_fork():
                os.environ["PYTHONPATH"] = python_path()
                os.execv(sys.executable, [sys.executable, "-u", "-m", "distribution.task", job.folder])
            # In a notebook or a test the parent's streams are not files 1 and 2.
            sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
            sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
            code = task_module.main([job.folder], os.environ)
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)  # exit handlers of TensorFlow and of the parent have nothing to do here


def _can_fork() -> bool:
    """Whether a child can use TensorFlow: nothing of it has run here, and it has not looked for GPUs."""
    if "tensorflow" not in sys.modules:
        return False
    from tensorflow.python.eager import context

    found = context.context_safe()
    return found is None or (not found._initialized and found._physical_devices is None)
