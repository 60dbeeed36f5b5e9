"""Signs that a task is alive, in the folder that the tasks share."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

from distribution.training_job import TrainingJob


@contextmanager
def sign_of_life(job: TrainingJob, task: str, every_seconds: float) -> Iterator[None]:
    """Counts in the task's file meanwhile; a process that is stopped, or whose machine is gone, counts no more.

    The file holds the count, the process id and the host.
    """
    over = threading.Event()

    def count() -> None:
        number = 0
        while not over.wait(every_seconds if number else 0.0):
            number += 1
            try:
                with tf.io.gfile.GFile(job.life_path(task), "w") as file:
                    file.write(f"{number} {os.getpid()} {socket.gethostname()}")
            except tf.errors.OpError:  # the storage is away for a moment: whoever watches decides how long it may be
                continue

    thread = threading.Thread(target=count, name="sign of life", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=every_seconds)


class LifeWatch:
    """Watches the counts of tasks.

    Args:
        job: the training.
        seconds: how long a count may stand still.
    """

    def __init__(self, job: TrainingJob, seconds: float) -> None:
        self._job, self._seconds = job, seconds
        self._last: dict[str, tuple[str, float]] = {}

    def begin(self, task: str) -> None:
        """The task is about to be started; what an earlier process of it counted is forgotten."""
        path = self._job.life_path(task)
        if tf.io.gfile.exists(path):
            tf.io.gfile.remove(path)
        self._last[task] = ("", time.monotonic())

    def silent_for(self, task: str) -> float | None:
        """Seconds since the last sign of a task that has given none for too long; None for others.

        A task that has not given its first sign is not judged: it may still be starting.
        """
        try:
            with tf.io.gfile.GFile(self._job.life_path(task)) as file:
                count = file.read()
        except tf.errors.OpError:
            count = ""
        before, since = self._last.setdefault(task, ("", time.monotonic()))
        if count != before:
            self._last[task] = (count, time.monotonic())
            return None
        silent = time.monotonic() - since
        return silent if count and silent > self._seconds else None
