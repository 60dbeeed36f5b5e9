"""What is to run on Kubernetes, before it is written as one kind of object or another."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from configs.kubernetes_pods import KubernetesPods
from distribution.membership import CLUSTER
from schemas.errors import TrainingError

TRAINING_LABEL = "scalable-tf/training"
"""On everything that belongs to a training; its value is the training's name."""
ROLE_LABEL = "scalable-tf/role"
CONTAINER = "task"
_LABEL = 63
"""Longest DNS label, RFC 1035; the hostname of a pod is one."""


@dataclass(frozen=True)
class Workload:
    """The tasks of one training.

    Attributes:
        name: of the training, a DNS label; the objects' names begin with it.
        tasks: how many there are of each role.
        command: what each task runs.
        pods: how the pods look.
        max_restarts: how often each task may be started again.
        grace_seconds: between SIGTERM and SIGKILL.
    """

    name: str
    tasks: Mapping[str, int]
    command: tuple[str, ...]
    pods: KubernetesPods
    max_restarts: int = 0
    grace_seconds: int = 20

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", self.name):
            raise ValueError(f"{self.name!r} is no DNS label")
        if self.pods.image is None:
            raise TrainingError(
                "Kubernetes needs the image that the tasks run in.",
                where="training.cluster.kubernetes.image",
                fix="Name one with this project and your code, that the cluster can pull: see docs/image.md.",
            )
        longest = max((f"{self.job(role)}-{count - 1}" for role, count in self.tasks.items()), key=len)
        if len(longest) > _LABEL:
            raise TrainingError(
                f"A pod's name would be longer than the {_LABEL} characters of a host's name.",
                where="name",
                received=longest,
                fix=f"Shorten the pipeline's name by {len(longest) - _LABEL}.",
            )

    @property
    def leader(self) -> str:
        """The role whose end is the training's end: the chief, or where there is none, the workers."""
        return "chief" if "chief" in self.tasks else "worker"

    @property
    def labels(self) -> dict[str, str]:
        """Of everything that belongs to it."""
        ours = {"app.kubernetes.io/managed-by": "scalable-tf", TRAINING_LABEL: self.name}
        return {**self.pods.labels, **ours}

    @property
    def selector(self) -> str:
        """Selects what belongs to it, by label."""
        return f"{TRAINING_LABEL}={self.name}"

    def job(self, role: str) -> str:
        """Name of the Job of a role."""
        return f"{self.name}-{role}"

    def environment(self, hosts: Mapping[str, str]) -> dict[str, str]:
        """What a task computes TF_CONFIG from, besides its role and its index.

        Args:
            hosts: for each role, the host name of a task, with `{index}` for its index.
        """
        cluster = {
            role: [f"{hosts[role].format(index=index)}:{self.pods.port}" for index in range(count)]
            for role, count in self.tasks.items()
        }
        return {CLUSTER: json.dumps(cluster)}
