"""Starts the tasks of a training as processes of this machine."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from configs.training import Training
from distribution.cluster import Task
from distribution.task import DONE, FAILED, TRY_AGAIN
from distribution.task_group import TaskGroup
from distribution.training_job import TrainingJob
from schemas.errors import TrainingError

_LOG = logging.getLogger(__name__)
_POLL_SECONDS = 0.02
_LOOK_SECONDS = 1.0
_SETTLE_SECONDS = 10.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def launch(job: TrainingJob, training: Training) -> None:
    """Runs the tasks to their end. Those that are lost are started again, from the last backup.

    Args:
        job: the training, written for its tasks.
        training: its settings.

    Raises:
        TrainingError: a task has failed by a mistake, or tasks were lost more often than `training.max_restarts`.
    """
    with _asked_to_end() as asked:
        group = TaskGroup(job, training)
        try:
            group.start()
            supervision = _Supervision(job, training, group)
            while not supervision.is_done() and not asked:
                time.sleep(_POLL_SECONDS)
            if asked:
                _LOG.warning("Asked to end by %s: the tasks save their state", signal.Signals(asked[0]).name)
                group.preempt(training.cluster.grace_seconds)
        finally:
            group.stop()
    for number in asked[:1]:
        os.kill(os.getpid(), number)


class _Supervision:
    """What happens to a group of tasks, and what is done about it."""

    def __init__(self, job: TrainingJob, training: Training, group: TaskGroup) -> None:
        self._job, self._training, self._group = job, training, group
        self._restarts = 0
        self._looked = time.monotonic()
        self._silent: dict[Task, float] = {}

    def is_done(self) -> bool:
        """Looks at the tasks, starts lost ones again, and tells whether the chief has finished.

        Raises:
            TrainingError: see `launch`.
        """
        if time.monotonic() - self._looked > _LOOK_SECONDS:
            self._silent |= self._group.kill_silent()
            self._looked = time.monotonic()
        ended = self._group.poll()
        chief = self._group.cluster.chief
        if ended.get(chief) == DONE and self._job.is_done:
            _LOG.info("The training is done; tasks were started again %d time(s)", self._restarts)
            return True
        lost = {task: code for task, code in ended.items() if code != DONE}
        if lost:
            self._recover(lost)
        return False

    def _recover(self, lost: Mapping[Task, int]) -> None:
        alone = all(self._is_replaceable(task) for task in lost)
        if not alone:  # what the others come to say tells the cause from its consequences
            lost = {task: code for task, code in self._group.settle(_SETTLE_SECONDS).items() if code != DONE}
        self._raise_mistake(lost)
        named = ", ".join(f"{task} ({self._how(task, code)})" for task, code in lost.items())
        if self._restarts >= self._training.max_restarts:
            raise TrainingError(
                f"Tasks of the training were lost, and started again {self._restarts} time(s) already.",
                where=f"Trainer, {named}",
                received=f"training.max_restarts: {self._training.max_restarts}",
                fix="See the tasks' logs; processes that SIGKILL ends were mostly out of memory. The training goes on "
                "from its last backup when the run is resumed; raise training.max_restarts to try more often.",
            )
        self._restarts += 1
        if alone:
            _LOG.warning("Lost: %s. It is replaced while the others go on (%d)", named, self._restarts)
            for task in lost:
                self._group.start_task(task)
            return
        _LOG.warning("Lost: %s. All tasks start again from the last backup (%d)", named, self._restarts)
        self._group.stop()
        self._silent.clear()
        self._group.start()

    def _is_replaceable(self, task: Task) -> bool:
        """Whether others can go on without it: workers of parameter servers, and evaluators."""
        return task.role == "evaluator" or (task.role == "worker" and bool(self._group.cluster.number("ps")))

    def _raise_mistake(self, lost: Mapping[Task, int]) -> None:
        """Raises what a task says of its mistake.

        A crash of one task after another was killed is taken for a consequence of that, and a mistake of none.
        """
        killed = any(code < 0 for code in lost.values())
        for task, code in lost.items():
            error = self._job.failure(str(task)) if code == FAILED else None
            if error is not None and not (killed and error.what == TrainingJob.CRASHED):
                raise error

    def _how(self, task: Task, code: int) -> str:
        if task in self._silent:
            return f"no sign of life for {self._silent[task]:.0f} s"
        if code == TRY_AGAIN:
            return "lost another task or was asked to end"
        return f"ended by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


@contextmanager
def _asked_to_end() -> Iterator[list[int]]:
    """Signals that want this process to end, which wait meanwhile until the tasks have saved their state."""
    asked: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def note(number: int, frame: FrameType | None) -> None:
        asked.append(number)

    before = {number: signal.signal(number, note) for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
