"""The Pod Security Standard "restricted", as far as fields that our pods could have.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_VOLUMES = {
    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"),
}


def violations(pod: Mapping[str, Any]) -> list[str]:
    """What a namespace at that level would refuse a pod for; empty where it is admitted.

    Args:
        pod: its `spec`.
    """
    return sorted(_violations(pod))


def _violations(pod: Mapping[str, Any]) -> Iterator[str]:
    of_pod = pod.get("securityContext", {})
    yield from (key for key in ("hostNetwork", "hostPID", "hostIPC") if pod.get(key))
    for volume in pod.get("volumes", ()):
        yield from (f"volume {kind}" for kind in volume if kind != "name" and kind not in _VOLUMES)
    for container in (*pod.get("initContainers", ()), *pod["containers"]):
        name, own = container["name"], container.get("securityContext", {})
        both = {**of_pod, **own}
        capabilities = own.get("capabilities", {})
        yield from (f"{name}: hostPort" for port in container.get("ports", ()) if port.get("hostPort"))
        if own.get("privileged"):
            yield f"{name}: privileged"
        if own.get("allowPrivilegeEscalation") is not False:
            yield f"{name}: allowPrivilegeEscalation"
        if "ALL" not in capabilities.get("drop", ()) or set(capabilities.get("add", ())) - {"NET_BIND_SERVICE"}:
            yield f"{name}: capabilities"
        if both.get("runAsNonRoot") is not True:
            yield f"{name}: runAsNonRoot"
        if both.get("runAsUser") == 0:
            yield f"{name}: runAsUser"
        if both.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
            yield f"{name}: seccompProfile"
