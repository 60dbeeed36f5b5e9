"""What Kubernetes would add to a task's container: volumes, and variables from Secrets and ConfigMaps."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.errors import RunError


@dataclass(frozen=True)
class Mount:
    """A folder of this machine that a task sees.

    Attributes:
        source: the folder.
        target: where the task sees it.
        read_only: whether it may only read there.
    """

    source: Path
    target: str
    read_only: bool = False


@dataclass
class Cluster:
    """What of a cluster a dry run stands in for.

    Attributes:
        root: folder of the dry run, for what the claims, Secrets and ConfigMaps hold.
        claims: folders given for PersistentVolumeClaims, by claim; any other gets an empty one.
        secrets: keys and values of Secrets, by name; a key of any other gets a throw-away value.
        config_maps: the same of ConfigMaps, without such values.
        mode: of the folders that tasks write to.
        one_path: whether an empty folder has the same path of this machine in every pod, where pods see no other.
        invented: the keys that got a throw-away value, as `NAME/KEY`.
    """

    root: Path
    claims: Mapping[str, Path] = field(default_factory=dict)
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    config_maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    mode: int = 0o755
    one_path: bool = False
    invented: dict[str, str] = field(default_factory=dict)

    def mounts(
        self, executor: Mapping[str, Any], pod: Path, name: Callable[[Mapping[str, Any], str], str]
    ) -> list[Mount]:
        """The volumes of a pod.

        Args:
            executor: KubernetesExecutorConfig of its task, as JSON.
            pod: folder for what it has to itself; each attempt of a task is another pod.
            name: gives the name in an entry, by the entry and the key of the plain name; it may be a task's input.
        """
        found = []
        for mount in executor.get("pvcMount", ()):
            claim = name(mount, "constant")
            folder = self.claims.get(claim) or self.root / "claims" / claim
            source = folder / mount.get("subPath", "")
            make_folder(source, self.mode)
            found.append(Mount(source, mount["mountPath"]))
        for mount in executor.get("emptyDirMounts", ()):
            source = pod / "volumes" / mount.get("volumeName", "empty")
            make_folder(source, self.mode)
            found.append(Mount(self._linked(source) if self.one_path else source, mount["mountPath"]))
        for key, plain, held in (
            ("secretAsVolume", "secretName", self.secrets),
            ("configMapAsVolume", "configMapName", self.config_maps),
        ):
            for mount in executor.get(key, ()):
                named = name(mount, plain)
                source = self.root / key / named
                make_folder(source, self.mode)
                for item, value in held.get(named, {}).items():
                    (source / item).write_text(value, encoding="utf-8")
                found.append(Mount(source, mount["mountPath"], read_only=True))
        return found

    def _linked(self, folder: Path) -> Path:
        """A link to an empty folder, that of the pod before it until now."""
        link = self.root / "empty" / folder.name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(folder)
        return link

    def variables(
        self, executor: Mapping[str, Any], task: str, name: Callable[[Mapping[str, Any], str], str]
    ) -> dict[str, str]:
        """The environment variables that come from elsewhere than the specification.

        Args:
            executor: KubernetesExecutorConfig of the task, as JSON.
            task: its name.
            name: as of `mounts`.

        Raises:
            RunError: a Secret or ConfigMap that was given lacks a key.
        """
        found: dict[str, str] = {}
        for entry in executor.get("secretAsEnv", ()):
            for pair in entry.get("keyToEnv", ()):
                value = self._secret(name(entry, "secretName"), pair["secretKey"], entry, f"task {task}")
                found |= {} if value is None else {pair["envVar"]: value}
        for entry in executor.get("configMapAsEnv", ()):
            for pair in entry.get("keyToEnv", ()):
                named, key = name(entry, "configMapName"), pair["configMapKey"]
                if key in self.config_maps.get(named, {}):
                    found[pair["envVar"]] = self.config_maps[named][key]
                elif not entry.get("optional"):
                    raise _missing("ConfigMap", named, key, f"task {task}", "--config-map")
        pod = {"metadata.name": task, "metadata.namespace": "dry-run", "spec.serviceAccountName": "default"}
        for entry in executor.get("fieldPathAsEnv", ()):
            found[entry["name"]] = pod.get(entry["fieldPath"], "")
        return found

    def _secret(self, named: str, key: str, entry: Mapping[str, Any], where: str) -> str | None:
        if named in self.secrets:
            if key not in self.secrets[named] and not entry.get("optional"):
                raise _missing("Secret", named, key, where, "--secret")
            return self.secrets[named].get(key)
        if entry.get("optional"):
            return None
        return self.invented.setdefault(f"{named}/{key}", secrets.token_hex(16))


def make_folder(folder: Path, mode: int) -> None:
    """Makes a folder, and those above it, where they are not there yet; all that it makes get the mode."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for place in missing:
        place.chmod(mode)  # whatever the umask


def _missing(kind: str, name: str, key: str, where: str, option: str) -> RunError:
    fix = f"Add the line {key}=VALUE to the file of {option} {name}=FILE."
    return RunError(f"The {kind} lacks a key that the task takes.", where=where, received=f"{name}/{key}", fix=fix)
