"""Trainings that the tests of the objects share."""

from __future__ import annotations

from typing import Any

from configs.kubernetes_pods import KubernetesPods
from distribution.kubernetes.workload import Workload

COMMAND = ("python", "-m", "distribution.task", "/srv/training")


def workload(tasks: dict[str, int], **pods: Any) -> Workload:
    """A training named taxi, of an image named trainer:1."""
    return Workload(
        name="taxi",
        tasks=tasks,
        command=COMMAND,
        pods=KubernetesPods.model_validate({"image": "trainer:1", **pods}),
        max_restarts=3,
    )


def parameter_server(**pods: Any) -> Workload:
    """A chief, two workers, a parameter server and an evaluator."""
    return workload({"chief": 1, "worker": 2, "ps": 1, "evaluator": 1}, **pods)


def multi_worker(**pods: Any) -> Workload:
    """Two workers."""
    return workload({"worker": 2}, **pods)


EVERYTHING: dict[str, Any] = {
    "image_pull_policy": "Always",
    "image_pull_secrets": ["registry"],
    "service_account": "trainer",
    "resources": {"worker": {"cpu": "4", "memory": "8Gi", "gpus": 1}, "ps": {"memory": "2Gi"}},
    "shared_memory": "1Gi",
    "node_selector": {"pool": "gpu"},
    "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
    "volumes": [
        {"claim": "training", "mount": "/srv"},
        {"claim": "training", "mount": "/data", "sub_path": "data", "read_only": True},
        {"host_path": "/mnt/cache", "mount": "/cache"},
    ],
    "environment": {"TF_CPP_MIN_LOG_LEVEL": "2"},
    "environment_secrets": ["store"],
    "labels": {"kueue.x-k8s.io/queue-name": "nightly"},
    "annotations": {"sidecar.istio.io/inject": "false"},
    "user": 1000,
    "group": 0,
}
"""Every setting of the pods."""
