"""The volumes of a pod, as folders of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from distribution.kubernetes.api_server import ApiServer


class Volumes:
    """Makes the folders that a pod's volumes are.

    Args:
        api: the API server.
        folder: of the pod.
    """

    def __init__(self, api: ApiServer, folder: Path) -> None:
        self._api, self._folder = api, folder

    def binds(self, pod: dict[str, Any]) -> list[tuple[str, str, bool]]:
        """Source, target and whether it is read only, for each mount of the one container."""
        sources = {volume["name"]: self._source(pod, volume) for volume in pod["spec"].get("volumes", ())}
        return [
            (
                str(sources[mount["name"]] / mount.get("subPath", "")),
                mount["mountPath"],
                bool(mount.get("readOnly")),
            )
            for mount in pod["spec"]["containers"][0].get("volumeMounts", ())
        ]

    def _source(self, pod: dict[str, Any], volume: dict[str, Any]) -> Path:
        namespace = pod["metadata"]["namespace"]
        if "hostPath" in volume:
            return Path(volume["hostPath"]["path"])
        if "persistentVolumeClaim" in volume:
            name = volume["persistentVolumeClaim"]["claimName"]
            claim = self._get(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{name}")
            stored = self._get(f"/api/v1/persistentvolumes/{claim['spec']['volumeName']}")
            return Path(stored["spec"]["hostPath"]["path"])
        made = self._folder / volume["name"]
        made.mkdir(mode=0o777)
        made.chmod(0o777)
        if "projected" in volume:
            for source in volume["projected"]["sources"]:
                self._project(pod, source, made)
        elif "configMap" in volume:
            held = self._get(f"/api/v1/namespaces/{namespace}/configmaps/{volume['configMap']['name']}")
            for key, text in held["data"].items():
                (made / key).write_text(text)
        elif "emptyDir" not in volume:
            raise ValueError(f"the test node has no such volume: {volume}")
        return made

    def _project(self, pod: dict[str, Any], source: dict[str, Any], folder: Path) -> None:
        namespace = pod["metadata"]["namespace"]
        if "serviceAccountToken" in source:
            wanted = {
                "apiVersion": "authentication.k8s.io/v1",
                "kind": "TokenRequest",
                "spec": {"expirationSeconds": source["serviceAccountToken"]["expirationSeconds"], "audiences": []},
            }
            account = f"/api/v1/namespaces/{namespace}/serviceaccounts/{pod['spec']['serviceAccountName']}"
            token = self._api.json("POST", f"{account}/token", body=wanted)["status"]["token"]
            (folder / source["serviceAccountToken"]["path"]).write_text(token)
        elif "configMap" in source:
            held = self._get(f"/api/v1/namespaces/{namespace}/configmaps/{source['configMap']['name']}")
            for item in source["configMap"]["items"]:
                (folder / item["path"]).write_text(held["data"][item["key"]])
        elif "downwardAPI" in source:
            for item in source["downwardAPI"]["items"]:
                (folder / item["path"]).write_text(field(pod, item["fieldRef"]["fieldPath"]))

    def _get(self, path: str) -> dict[str, Any]:
        return self._api.json("GET", path)


def field(pod: dict[str, Any], path: str) -> str:
    """What a fieldRef of a pod means."""
    if "['" in path:
        where, _, key = path.rstrip("']").partition("['")
        found: Any = _at(pod, where).get(key, "")
    else:
        found = _at(pod, path)
    return str(found)


def _at(pod: dict[str, Any], path: str) -> Any:
    found: Any = pod
    for part in path.split("."):
        found = found.get(part, {})
    return found
