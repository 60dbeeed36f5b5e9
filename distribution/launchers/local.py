"""Starts the tasks of a training as processes of this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from configs.training import Training
from distribution.python_path import python_path
from distribution.supervision import SUPERVISOR
from distribution.task import DONE
from distribution.training_job import TrainingJob
from schemas.errors import TrainingError

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def launch(job: TrainingJob, training: Training) -> None:
    """Runs the tasks to their end. Those that are lost are started again, from the last backup.

    What they write comes out here, each line with its task's name before it, and goes to the folder `logs` of the model
    run. A signal that wants this process to end reaches them first: they save their state.

    Args:
        job: the training, written for its tasks.
        training: its settings.

    Raises:
        TrainingError: a task has failed by a mistake, or tasks were lost more often than `training.max_restarts`.
    """
    command = [sys.executable, "-u", "-m", "distribution.supervision", job.folder, str(os.getpid())]
    environment = {**os.environ, "PYTHONPATH": python_path(), "TF_USE_LEGACY_KERAS": "1"}
    with tempfile.TemporaryDirectory(prefix="training-") as scratch:  # what tasks that are killed leave there goes, too
        _run(job, command, {**environment, "TMPDIR": scratch})


def _run(job: TrainingJob, command: list[str], environment: dict[str, str]) -> None:
    supervisor = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # a signal to this process's group reaches the tasks by way of the supervisor only
        text=True,
        errors="replace",
    )
    with supervisor, _passed_on(supervisor) as asked:
        for line in supervisor.stdout or ():
            sys.stdout.write(line)
        code = supervisor.wait()
    if code == DONE:
        return
    if asked:
        os.kill(os.getpid(), asked[0])
    raise job.failure(SUPERVISOR) or TrainingError(
        "The processes of the training have ended before it was done.",
        where="Trainer",
        received=f"exit code {code}" if code >= 0 else f"ended by {signal.Signals(-code).name}",
        fix="See what they wrote; the training goes on from its last backup when the run is resumed.",
    )


@contextmanager
def _passed_on(supervisor: subprocess.Popen[str]) -> Iterator[list[int]]:
    """Passes signals that want this process to end on to the supervisor, and collects them, meanwhile."""
    asked: list[int] = []
    if threading.current_thread() is not threading.main_thread():  # where Python delivers no signals
        yield asked
        return

    def pass_on(number: int, frame: object) -> None:
        asked.append(number)
        supervisor.send_signal(signal.SIGTERM)

    before = {
        number: signal.signal(number, pass_on) for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield asked
    finally:
        supervisor.kill()
        supervisor.wait()
        for number, handler in before.items():
            signal.signal(number, handler)
