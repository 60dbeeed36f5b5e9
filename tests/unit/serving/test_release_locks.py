"""Two folders of releases, and one server: who moves a label at the same time undoes nothing of the other."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from schemas.errors import ReleaseError
from serving.directory_lock import directory_lock
from serving.labels import Labels
from serving.release_locks import release_locks
from serving.served_models import ServedModels, with_model
from tests.unit.serving.labelled_releases import told
from tests.unit.serving.model_server import AVAILABLE, ModelServer


@pytest.fixture
def beside(server: ModelServer, tmp_path: Path) -> Path:
    """Another pipeline's model of two versions, the first of which is stable, on the same server."""
    folder = tmp_path.parent / f"{tmp_path.name}-digits/releases/mnist"
    for version in ("1", "2"):
        (folder / version).mkdir(parents=True)
    _move(folder, 1)
    server.states["mnist"] = {1: AVAILABLE}
    return folder


def _move(folder: Path, version: int) -> None:
    """What another command does, as far as its own folder goes."""
    served = ServedModels(folder.parent)
    labels = {"stable": version}
    served.write(with_model(ModelServerConfig(), "mnist", str(folder), labels=labels, versions=[version]))


def test_a_label_that_moves_in_the_other_folder_meanwhile_is_not_moved_back(
    labels: Labels, server: ModelServer, beside: Path
) -> None:
    request = replace(told(server), keep=(f"mnist={beside}",))
    with directory_lock(beside.parent):
        thread = threading.Thread(target=labels.promote, args=(1, request))
        thread.start()
        thread.join(0.2)
        assert server.configs == []
        _move(beside, 2)
    thread.join()
    assert server.labels == {"taxi": {"stable": 1}, "mnist": {"stable": 2}}


def test_each_keeps_the_model_of_the_other_and_neither_waits_for_ever(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / ".lock").touch()
    inside, most = [], []

    def move(own: str, other: str) -> None:
        for _ in range(20):
            with release_locks(tmp_path / own, [f"{other}={tmp_path / other / other}"]):
                inside.append(own)
                most.append(len(inside))
                inside.remove(own)

    threads = [threading.Thread(target=move, args=pair) for pair in ("ab", "ba")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(most) == 40
    assert set(most) == {1}


def test_a_model_of_the_same_folder_needs_no_second_lock(tmp_path: Path) -> None:
    ServedModels(tmp_path).write(ModelServerConfig())
    (tmp_path.parent / f"{tmp_path.name}-link").symlink_to(tmp_path)
    with release_locks(tmp_path, [f"b={tmp_path}-link/b", str(tmp_path / "models.config")]):
        pass


def test_a_folder_that_is_none_of_releases_gets_no_lock(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "models/m/1").mkdir(parents=True)
    with release_locks(tmp_path / "own", [f"m={tmp_path}/models/m", f"n={tmp_path}/nowhere/n"]):
        pass
    assert os.listdir(tmp_path / "models") == ["m"]


def test_a_folder_that_may_not_be_written_to_has_none(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "read-only/.lock").mkdir(parents=True)  # as for root, too, who may write everywhere
    ServedModels(tmp_path / "read-only").write(ModelServerConfig())
    with (
        release_locks(tmp_path / "own", [f"m={tmp_path}/read-only/m"]),
        pytest.raises(ReleaseError),
        directory_lock(tmp_path / "own", timeout=0.0),
    ):
        pass
