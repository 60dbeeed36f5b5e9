"""Runs this process as the task that its environment says it is: somebody else starts the others."""

from __future__ import annotations

import os

from configs.training import Training
from distribution.member import take_part
from distribution.membership import Membership
from distribution.task import DONE
from distribution.training_job import TrainingJob
from schemas.errors import TrainingError


def launch(job: TrainingJob, training: Training) -> None:
    """Takes part as the chief, whose folder the other tasks share: `python -m distribution.task FOLDER`.

    Args:
        job: the training, written for its tasks.
        training: its settings.

    Raises:
        TrainingError: the environment does not say which task this is, it is not the chief, or the training failed.
    """
    own = Membership.from_environment(os.environ)
    if not own.is_chief:
        raise TrainingError(
            f"A pipeline runs on the chief, and this is {own.task}.",
            where="training.cluster.launcher",
            received="env",
            fix=f"Run the pipeline as {own.cluster.chief}, and `python -m distribution.task {job.folder}` here.",
        )
    code = take_part(job, own)
    if code == DONE:
        return
    raise job.failure(str(own.task)) or TrainingError(
        "The training was interrupted.",
        where=f"Trainer, {own.task}",
        received=f"exit code {code}: another task was lost, or this one was asked to end",
        fix="Start all tasks again; the training goes on from its last backup.",
    )
