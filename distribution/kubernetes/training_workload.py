"""The tasks of the settings as a workload of Kubernetes."""

from __future__ import annotations

import hashlib
import json
import math

from configs.training import Training
from distribution.kubernetes.workload import Workload
from distribution.shape import cluster_shape


def workload_of(training: Training, folder: str) -> Workload:
    """The tasks of a training as the launcher runs them.

    Args:
        training: settings.
        folder: that the tasks share. The name comes from it, so that a launcher finds what an earlier one has left.

    Raises:
        TrainingError: there is no image, or a name is too long.
    """
    pods = training.cluster.kubernetes
    place = json.dumps([folder, [volume.model_dump() for volume in pods.volumes]])
    return Workload(
        name=f"training-{hashlib.sha256(place.encode()).hexdigest()[:10]}",
        tasks=cluster_shape(training),
        command=("python", "-m", "distribution.task", folder),
        pods=pods,
        max_restarts=training.max_restarts,
        grace_seconds=math.ceil(training.cluster.grace_seconds),
    )
