"""The life of a training's tasks as processes of this machine: `python -m distribution.supervision FOLDER PARENT`.

It is a process of its own, started by `distribution.launchers.local`, because it forks the tasks: from a process in
which TensorFlow and the user's code are imported and nothing has run, they start in milliseconds, each time.
"""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Mapping, Sequence

from configs.training import Training
from distribution.cluster import Task
from distribution.parent_death import die_with
from distribution.task import CRASHED, DONE, FAILED, TRY_AGAIN
from distribution.task_group import TaskGroup
from distribution.training_job import TrainingJob
from distribution.user_function import import_function
from schemas.errors import ScalableTFError, TrainingError

_LOG = logging.getLogger(__name__)
_POLL_SECONDS = 0.02
_LOOK_SECONDS = 1.0
_SETTLE_SECONDS = 10.0
SUPERVISOR = "supervisor"
"""Under this name the supervision reports its failure."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervision:
    """What happens to a group of tasks, and what is done about it.

    Args:
        job: the training.
        training: its settings.
        group: its tasks.
    """

    def __init__(self, job: TrainingJob, training: Training, group: TaskGroup) -> None:
        self._job, self._training, self._group = job, training, group
        self._restarts = 0
        self._looked = time.monotonic()
        self._silent: dict[Task, float] = {}

    def is_done(self) -> bool:
        """Looks at the tasks, starts lost ones again, and tells whether the chief has finished.

        Raises:
            TrainingError: a task has failed by a mistake, or tasks were lost more often than `training.max_restarts`.
        """
        if time.monotonic() - self._looked > _LOOK_SECONDS:
            self._silent |= self._group.kill_silent()
            self._looked = time.monotonic()
        ended = self._group.poll()
        chief = self._group.cluster.chief
        if ended.get(chief) == DONE and self._job.is_done:
            self._group.settle(self._training.cluster.grace_seconds)  # servers and evaluators end by themselves
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
            error = self._job.failure(str(task)) if code in (FAILED, CRASHED) else None
            if error is not None and not (killed and error.what == TrainingJob.CRASHED):
                raise error

    def _how(self, task: Task, code: int) -> str:
        if task in self._silent:
            return f"no sign of life for {self._silent[task]:.0f} s"
        if code == TRY_AGAIN:
            return "lost another task or was asked to end"
        return f"ended by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def main(arguments: Sequence[str]) -> int:
    """Supervises the training of a folder until it is done; returns the exit code, as of a task."""
    folder, parent = arguments
    die_with(int(parent))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    job = TrainingJob.read(folder)
    asked: list[int] = []
    for number in _SIGNALS:
        signal.signal(number, lambda number, frame: asked.append(number))
    group = TaskGroup(job, job.training)
    try:
        import_function(job.run_fn)  # so that the tasks have it already, and all of them the same
        _LOG.info("Code and settings: %s", job.fingerprint[:12])
        supervision = Supervision(job, job.training, group)
        group.start()
        while not supervision.is_done():
            if asked:
                _LOG.warning("Asked to end by %s: the tasks save their state", signal.Signals(asked[0]).name)
                group.preempt(job.training.cluster.grace_seconds)
                return TRY_AGAIN
            time.sleep(_POLL_SECONDS)
    except ScalableTFError as error:
        job.report(SUPERVISOR, error)
        return FAILED
    finally:
        group.stop()
    return DONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
