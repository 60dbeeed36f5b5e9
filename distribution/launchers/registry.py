"""Launchers by name."""

from __future__ import annotations

import importlib

from configs.training import Training
from distribution.training_job import TrainingJob


def launch(job: TrainingJob, training: Training) -> None:
    """Trains with the launcher of `training.cluster.launcher`, and returns when the model is exported.

    Raises:
        TrainingError: the training failed, or was not possible.
    """
    module = importlib.import_module(f"distribution.launchers.{training.cluster.launcher}")
    module.launch(job.write(), training)
