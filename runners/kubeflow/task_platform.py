"""What Kubernetes gives a task, in the fields that every Kubeflow Pipelines reads.

The SDK's own functions for it differ from release to release: the older one lacks tolerations and pull secrets, and the
newer one writes fields beside them that older servers refuse. So the few fields are written here.

Source: kubernetes_executor_config.proto and PipelineContainerSpec of pipeline_spec.proto, kubeflow/pipelines.
"""

from __future__ import annotations

import re
from typing import Any

from configs.kubeflow import END, WEBHOOK_VARIABLE, Kubeflow, KubeflowTask

_QUANTITY = re.compile(r"([0-9.]+)([a-zA-Z]*)")
_UNITS = {"": 1.0, "m": 1e-3, "k": 1e3} | {
    f"{prefix}{suffix}": float(base ** (place + 2 if suffix == "" else place + 1))
    for suffix, base in (("", 1000), ("i", 1024))
    for place, prefix in enumerate("MGTPE" if suffix == "" else "KMGTPE")
}


def resources(kubeflow: Kubeflow, task: KubeflowTask) -> dict[str, Any]:
    """A container's `resources`; requests and limits are equal. Cores are a number, memory is in 10^9 bytes."""
    found: dict[str, Any] = {}
    given = task.resources
    if given is None:
        return found
    if given.cpu is not None:
        found |= {"cpuRequest": amount(given.cpu), "cpuLimit": amount(given.cpu)}
    if given.memory is not None:
        gigabytes = amount(given.memory) / 1e9
        found |= {"memoryRequest": gigabytes, "memoryLimit": gigabytes}
    if given.gpus:
        found["accelerator"] = {"type": kubeflow.gpu_resource, "count": str(given.gpus)}
    return found


def pod(kubeflow: Kubeflow, name: str) -> dict[str, Any]:
    """The `KubernetesExecutorConfig` of a task; only what is asked for, because older servers know less.

    Args:
        kubeflow: of the settings.
        name: of a node, or begin or end.
    """
    task = kubeflow.task(name)
    variables = dict(kubeflow.environment_secrets)
    if name == END and kubeflow.webhook_secret is not None:
        variables[WEBHOOK_VARIABLE] = kubeflow.webhook_secret
    secrets: dict[str, list[dict[str, str]]] = {}
    for variable, place in sorted(variables.items()):
        secrets.setdefault(place.secret, []).append({"secretKey": place.key, "envVar": variable})
    tolerations = [
        one.model_dump(include={"key", "operator", "value", "effect"}, exclude_none=True)
        for one in task.tolerations or ()
    ]
    config = {
        "imagePullPolicy": kubeflow.image_pull_policy,
        "imagePullSecret": [{"secretName": name} for name in kubeflow.image_pull_secrets],
        "nodeSelector": {"labels": dict(task.node_selector)} if task.node_selector else None,
        "pvcMount": [{"constant": volume.claim, "mountPath": volume.mount} for volume in kubeflow.volumes],
        "secretAsEnv": [{"secretName": name, "keyToEnv": keys} for name, keys in sorted(secrets.items())],
        # With it, and what the server adds itself, a pod is admitted at the level "restricted".
        "securityContext": {"runAsUser": kubeflow.user, "runAsNonRoot": True} if kubeflow.user is not None else None,
        "tolerations": tolerations,
    }
    return {field: value for field, value in config.items() if value}


def amount(quantity: str) -> float:
    """A quantity as Kubernetes writes it, as a number: 0.5 for 500m, 8589934592 for 8Gi."""
    found = _QUANTITY.fullmatch(quantity)
    if found is None or found[2] not in _UNITS:
        raise ValueError(f"no quantity: {quantity}")
    return float(found[1]) * _UNITS[found[2]]
