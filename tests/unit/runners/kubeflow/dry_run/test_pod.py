"""Volumes and variables that Kubernetes would add."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from runners.kubeflow.dry_run.pod import Cluster, Mount
from schemas.errors import RunError


def named(entry: Mapping[str, Any], plain: str) -> str:
    return str(entry[plain])


def test_a_claim_is_one_folder_for_all_tasks(tmp_path: Path) -> None:
    executor = {"pvcMount": [{"constant": "data", "mountPath": "/mnt/data"}]}
    cluster = Cluster(tmp_path)

    first, second = (cluster.mounts(executor, tmp_path / pod, named) for pod in "ab")

    assert first == second == [Mount(tmp_path / "claims" / "data", "/mnt/data")]
    assert first[0].source.is_dir()


def test_a_folder_that_was_given_stands_for_a_claim(tmp_path: Path) -> None:
    executor = {"pvcMount": [{"constant": "data", "mountPath": "/mnt/data"}]}

    (mount,) = Cluster(tmp_path / "root", claims={"data": tmp_path}).mounts(executor, tmp_path / "pod", named)

    assert mount.source == tmp_path


def test_an_empty_folder_is_that_of_one_pod(tmp_path: Path) -> None:
    executor = {"emptyDirMounts": [{"volumeName": "output", "mountPath": "/srv/output"}]}
    cluster = Cluster(tmp_path)

    ((first,), (second,)) = (cluster.mounts(executor, tmp_path / pod, named) for pod in "ab")

    assert first == Mount(tmp_path / "a" / "volumes" / "output", "/srv/output")
    assert second.source != first.source
    assert list(first.source.iterdir()) == list(second.source.iterdir()) == []


def test_an_empty_folder_may_have_one_path_for_all_pods(tmp_path: Path) -> None:
    executor = {"emptyDirMounts": [{"volumeName": "output", "mountPath": "/srv/output"}]}
    cluster = Cluster(tmp_path, one_path=True)

    (first,) = cluster.mounts(executor, tmp_path / "a", named)
    (first.source / "file").touch()
    (second,) = cluster.mounts(executor, tmp_path / "b", named)

    assert first == second
    assert list(second.source.iterdir()) == []
    assert (tmp_path / "a" / "volumes" / "output" / "file").exists()


SECRET = {"secretAsEnv": [{"secretName": "store", "keyToEnv": [{"secretKey": "password", "envVar": "PASSWORD"}]}]}


def test_a_secret_that_was_given(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, secrets={"store": {"password": "hunter2"}})

    assert cluster.variables(SECRET, "a", named) == {"PASSWORD": "hunter2"}
    assert cluster.invented == {}


def test_another_secret_gets_one_throw_away_value_for_all_tasks(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)

    first, second = (cluster.variables(SECRET, task, named) for task in "ab")

    assert first == second == {"PASSWORD": cluster.invented["store/password"]}
    assert len(first["PASSWORD"]) == 32


def test_a_secret_that_lacks_the_key(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, secrets={"store": {"user": "me"}})

    with pytest.raises(RunError, match="The Secret lacks a key") as caught:
        cluster.variables(SECRET, "a", named)

    assert caught.value.received == "store/password"


def test_a_secret_as_files(tmp_path: Path) -> None:
    executor = {"secretAsVolume": [{"secretName": "store", "mountPath": "/secrets"}]}

    (mount,) = Cluster(tmp_path, secrets={"store": {"password": "hunter2"}}).mounts(executor, tmp_path / "pod", named)

    assert (mount.target, mount.read_only) == ("/secrets", True)
    assert (mount.source / "password").read_text() == "hunter2"
