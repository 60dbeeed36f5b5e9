"""Labels, and the versions that they are for."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from serving.server.model_config import ModelConfig
from serving.server.version_policy import VersionPolicy
from tests.unit.serving.server.manager.answers import refused, served
from tests.unit.serving.server.manager.conftest import Release

pytestmark = pytest.mark.slow


def test_labels_are_for_loaded_versions(release: Release, manage: Any, tmp_path: Path) -> None:
    release(1)
    release(2)
    config = ModelConfig("half", tmp_path / "half", VersionPolicy("all"), {"stable": 1, "canary": 2})
    manager = manage(config)
    assert (served(manager, "half", None, "stable"), served(manager, "half", None, "canary")) == (1, 2)
    assert [state.version for state in manager.states("half", label="stable")] == [1]
    unknown = ("INVALID_ARGUMENT", "Unrecognized servable version label: other")
    assert refused(lambda: served(manager, "half", None, "other")) == unknown
    code, message = refused(
        lambda: manager.reload([ModelConfig("half", tmp_path / "half", VersionPolicy("all"), {"stable": 3})])
    )
    assert code == "FAILED_PRECONDITION"
    assert "assign label to version 3 of model half" in message
    assert served(manager, "half", None, "stable") == 1
    specific = VersionPolicy("specific", specific=(2,))
    refused(lambda: manager.reload([ModelConfig("half", tmp_path / "half", specific, {"stable": 3})]))
    assert served(manager, "half", None, "stable") == 1  # a refused reload has unloaded nothing
    assert refused(lambda: served(manager, "other", None, "stable")) == (
        "INVALID_ARGUMENT",
        "Unrecognized servable version label: stable",
    )
    release(3)
    manager.poll()
    assert served(manager, "half", None, "stable") == 1
    manager.reload([ModelConfig("half", tmp_path / "half", VersionPolicy("all"), {"stable": 3})])
    assert served(manager, "half", None, "stable") == 3
    assert refused(lambda: served(manager, "half", None, "canary"))[0] == "INVALID_ARGUMENT"


def test_a_label_of_the_start_waits_for_its_version(release: Release, manage: Any, tmp_path: Path) -> None:
    release(1)
    manager = manage(ModelConfig("half", tmp_path / "half", VersionPolicy("all"), {"stable": 1, "canary": 2}))
    assert served(manager, "half", None, "stable") == 1
    assert refused(lambda: served(manager, "half", None, "canary"))[0] == "INVALID_ARGUMENT"
    newest = release(2)
    manager.poll()
    assert served(manager, "half", None, "canary") == 2
    shutil.rmtree(newest)
    manager.poll()
    unloaded = ("NOT_FOUND", "Servable not found for request: Specific(half, 2)")
    assert refused(lambda: served(manager, "half", None, "canary")) == unloaded


def test_a_label_of_a_file_stays_where_it_was_until_its_version_is_loaded(
    release: Release, manage: Any, tmp_path: Path
) -> None:
    release(1)
    manager = manage(ModelConfig("half", tmp_path / "half", VersionPolicy("all"), {"stable": 1}))
    manager.reload([ModelConfig("half", tmp_path / "half", VersionPolicy("all"), {"stable": 2})], labels_wait=True)
    assert served(manager, "half", None, "stable") == 1
    release(2)
    manager.poll()
    assert served(manager, "half", None, "stable") == 2
    release(3)
    # Versions are loaded before labels are looked at.
    manager.reload([ModelConfig("half", tmp_path / "half", VersionPolicy("all"), {"stable": 3})], labels_wait=True)
    assert served(manager, "half", None, "stable") == 3
    manager.reload([ModelConfig("half", tmp_path / "half", VersionPolicy("all"), {})], labels_wait=True)
    assert refused(lambda: served(manager, "half", None, "stable"))[0] == "INVALID_ARGUMENT"
