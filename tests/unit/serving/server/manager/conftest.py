"""Versions of a small model, and managers of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from serving.server.manager import ModelManager
from serving.server.model_config import ModelConfig
from tests.tiny_models import half_plus


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return half_plus(tmp_path_factory.mktemp("half") / "model", 2.0)


Release = Callable[..., Path]


@pytest.fixture
def release(model: Path, tmp_path: Path) -> Release:
    """Makes a version of a model: complete ones appear by a rename, as ReleaseStore's do."""

    def make(version: str | int, name: str = "half", *, broken: bool = False) -> Path:
        staging = tmp_path / name / ".staging"
        shutil.copytree(model, staging)
        if broken:
            (staging / "saved_model.pb").write_bytes(b"no model")
        return staging.rename(tmp_path / name / str(version))

    return make


@pytest.fixture
def manage(tmp_path: Path) -> Iterator[Callable[..., ModelManager]]:
    """A manager whose polls are the test's."""
    made: list[ModelManager] = []

    def make(*configs: ModelConfig) -> ModelManager:
        manager = ModelManager(configs or [ModelConfig("half", tmp_path / "half")], poll_seconds=0)
        made.append(manager)
        manager.poll()
        return manager

    yield make
    for manager in made:
        manager.close()
