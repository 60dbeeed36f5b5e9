"""What the launcher asks of a Kubernetes cluster."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from configs.kubernetes_pods import KubernetesPods
from distribution.kubernetes.api_server import ApiError, ApiServer
from schemas.errors import TrainingError

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_PATHS = {"Job": ("/apis/batch/v1", "jobs"), "Service": ("/api/v1", "services"), "Pod": ("/api/v1", "pods")}


class ClusterApi:
    """One namespace of a cluster.

    Args:
        server: its API server.
        namespace: in which everything happens.
        inside: whether this process runs in a pod of it.
    """

    def __init__(self, server: ApiServer, namespace: str, *, inside: bool) -> None:
        self._server = server
        self.namespace = namespace
        self._inside = inside

    def close(self) -> None:
        """Closes its connections."""
        self._server.close()

    def create(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Makes an object, and gives it as the server has it.

        Raises:
            ApiError: it was refused; 409 when there is one of that name.
        """
        api, plural = _PATHS[document["kind"]]
        return self._server.json("POST", f"{api}/namespaces/{self.namespace}/{plural}", body=document)

    def delete(self, kind: str, name: str, *, at_once: bool = False) -> None:
        """Removes an object, and then what belongs to it; one that is not there is no error.

        Args:
            kind: Job, Service or Pod.
            name: of the object.
            at_once: do not ask a pod to end first.

        Raises:
            ApiError: it was refused.
        """
        api, plural = _PATHS[kind]
        options = {"propagationPolicy": "Background", **({"gracePeriodSeconds": 0} if at_once else {})}
        try:
            self._server.json("DELETE", f"{api}/namespaces/{self.namespace}/{plural}/{name}", body=options)
        except ApiError as error:
            if error.status != 404:
                raise

    def jobs(self, selector: str) -> list[dict[str, Any]]:
        """Jobs with these labels."""
        return self._items(f"/apis/batch/v1/namespaces/{self.namespace}/jobs", labelSelector=selector)

    def pods(self, selector: str) -> list[dict[str, Any]]:
        """Pods with these labels."""
        return self._items(f"/api/v1/namespaces/{self.namespace}/pods", labelSelector=selector)

    def events(self, name: str) -> list[dict[str, Any]]:
        """What is said about an object, the newest last; nothing where we may not know."""
        try:
            found = self._items(
                f"/api/v1/namespaces/{self.namespace}/events", fieldSelector=f"involvedObject.name={name}"
            )
        except ApiError:
            return []
        return sorted(found, key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "")

    def log(self, pod: str, *, tail: int) -> list[str]:
        """The last lines of a pod's log; none where there is none."""
        try:
            return self._server.text("GET", self._log_path(pod), query={"tailLines": str(tail)}).splitlines()
        except ApiError:
            return []

    def follow_log(self, pod: str) -> Iterator[str]:
        """The lines of a pod's log as they come, until it ends.

        Raises:
            ApiError: it was refused, or the connection ended.
        """
        return self._server.lines(self._log_path(pod), query={"follow": "true"})

    def may(self, verb: str, group: str, resource: str) -> bool:
        """Whether the account may do something in the namespace."""
        name, _, part = resource.partition("/")
        asked = {"namespace": self.namespace, "verb": verb, "group": group, "resource": name, "subresource": part}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": asked},
        }
        said = self._server.json("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body=review)
        return bool(said["status"]["allowed"])

    def account(self) -> str:
        """Who we are, as the server sees it."""
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        try:
            said = self._server.json("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body=review)
        except ApiError:  # before Kubernetes 1.28
            return "unknown"
        return str(said["status"]["userInfo"]["username"])

    def own_pod(self) -> dict[str, Any] | None:
        """The pod that this process runs in, where it is one of the namespace."""
        if not self._inside:
            return None
        path = f"/api/v1/namespaces/{self.namespace}/pods"
        found = self._items(path, fieldSelector=f"metadata.name={socket.gethostname()}")
        return found[0] if found else None

    def _log_path(self, pod: str) -> str:
        return f"/api/v1/namespaces/{self.namespace}/pods/{pod}/log"

    def _items(self, path: str, **query: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self._server.json("GET", path, query=query)["items"]
        return items


def connect(pods: KubernetesPods, *, connections: int) -> ClusterApi:
    """The cluster of the settings' context, else the one that this process runs in, else that of the kubeconfig.

    Args:
        pods: the settings.
        connections: how many there may be at once: a followed log is one.

    Raises:
        TrainingError: there is no configuration that can be read.
    """
    from kubernetes import client, config

    settings = client.Configuration()
    settings.connection_pool_maxsize = connections
    inside = pods.context is None and "KUBERNETES_SERVICE_HOST" in os.environ and (_ACCOUNT / "token").exists()
    try:
        if inside:
            config.load_incluster_config(client_configuration=settings)
            default = (_ACCOUNT / "namespace").read_text().strip()
        else:
            config.load_kube_config(context=pods.context, client_configuration=settings)
            contexts, current = config.list_kube_config_contexts()
            chosen = next((found for found in contexts if found["name"] == pods.context), current)
            default = chosen["context"].get("namespace") or "default"
    except (config.ConfigException, OSError, yaml.YAMLError) as error:
        raise TrainingError(
            "There is no way to a Kubernetes cluster.",
            where="training.cluster.launcher: kubernetes",
            received=str(error),
            fix="Set KUBECONFIG to a kubeconfig file, or have one at ~/.kube/config, with the context that "
            "training.cluster.kubernetes.context names; in a pod, give it a service account.",
        ) from error
    return ClusterApi(ApiServer(settings), pods.namespace or default, inside=inside)
