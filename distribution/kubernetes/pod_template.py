"""The pod of a task, which is the same whichever kind of object makes it."""

from __future__ import annotations

from typing import Any

from configs.kubernetes_pods import Resources, Toleration, Volume
from distribution.kubernetes.workload import CONTAINER, ROLE_LABEL, Workload


def pod_template(workload: Workload, role: str, environment: dict[str, str], *, container: str = CONTAINER) -> Any:
    """A PodTemplateSpec.

    Args:
        workload: what runs.
        role: of the task.
        environment: variables that the task needs to find its place in the cluster.
        container: name of its one container.
    """
    pods = workload.pods
    volumes, mounts = _storage(pods.volumes, pods.shared_memory)
    resources = {str(name): asked for name, asked in pods.resources.items()}
    variables = {**pods.environment, **environment}
    security: dict[str, Any] = {"seccompProfile": {"type": "RuntimeDefault"}}
    if pods.user is not None:
        security |= {"runAsUser": pods.user, "runAsNonRoot": True}
    if pods.group is not None:
        security |= {"fsGroup": pods.group}
    task = {
        "name": container,
        "image": pods.image,
        "imagePullPolicy": pods.image_pull_policy,
        "command": list(workload.command),
        "env": [{"name": name, "value": value} for name, value in variables.items()],
        "envFrom": [{"secretRef": {"name": name}} for name in pods.environment_secrets],
        "resources": _resources(resources.get(role, Resources()), pods.gpu_resource),
        "volumeMounts": mounts,
        # With these two the pod is admitted where the namespace demands the Pod Security Standard "restricted".
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    spec = {
        # The object that makes the pods starts a failed task again, in a new pod: so it counts, and knows of, each end.
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": workload.grace_seconds,
        "serviceAccountName": pods.service_account,
        # A task has nothing to ask of the API server.
        "automountServiceAccountToken": False,
        "imagePullSecrets": [{"name": name} for name in pods.image_pull_secrets],
        "nodeSelector": dict(pods.node_selector),
        "tolerations": [_toleration(toleration) for toleration in pods.tolerations],
        "securityContext": security,
        "volumes": volumes,
        "containers": [_present(task)],
    }
    labels = {**workload.labels, ROLE_LABEL: role}
    metadata = {"labels": labels, "annotations": dict(pods.annotations)}
    return {"metadata": _present(metadata), "spec": _present(spec)}


def _present(fields: dict[str, Any]) -> dict[str, Any]:
    """Without what was not asked for."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}


def _resources(asked: Resources, gpu: str) -> dict[str, Any]:
    amounts = _present({"cpu": asked.cpu, "memory": asked.memory, gpu: asked.gpus or None})
    return {"requests": amounts, "limits": dict(amounts)} if amounts else {}


def _toleration(toleration: Toleration) -> dict[str, Any]:
    return toleration.model_dump(exclude_none=True)


def _storage(asked: tuple[Volume, ...], shared_memory: str | None) -> tuple[list[Any], list[Any]]:
    """Volumes, and where they are mounted; a claim that is mounted twice is one volume."""
    volumes: dict[str, Any] = {}
    mounts = []
    for volume in asked:
        source: dict[str, Any] = (
            {"persistentVolumeClaim": {"claimName": volume.claim}}
            if volume.claim is not None
            else {"hostPath": {"path": volume.host_path, "type": "Directory"}}
        )
        key = str(source)
        volumes.setdefault(key, {"name": f"volume-{len(volumes)}", **source})
        mount: dict[str, Any] = {"name": volumes[key]["name"], "mountPath": volume.mount, "subPath": volume.sub_path}
        mounts.append(_present({**mount, "readOnly": volume.read_only or None}))
    found = list(volumes.values())
    if shared_memory is not None:
        found.append({"name": "shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": shared_memory}})
        mounts.append({"name": "shared-memory", "mountPath": "/dev/shm"})
    return found, mounts
