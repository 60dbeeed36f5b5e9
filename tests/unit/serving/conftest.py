"""A small SavedModel on disk and what is known about it. Nothing here needs TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serving.blessing import Blessing
from serving.release import Provenance


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Files laid out as a SavedModel, with an empty folder."""
    return make_source(tmp_path / "model")


@pytest.fixture
def make_model() -> Callable[..., Path]:
    """Makes such a SavedModel with other weights."""
    return make_source


@pytest.fixture
def provenance() -> Callable[..., Provenance]:
    """Makes a provenance, with changes."""
    return make_provenance


def make_source(folder: Path, weights: bytes = b"weights") -> Path:
    (folder / "variables").mkdir(parents=True)
    (folder / "assets").mkdir()
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables/variables.index").write_bytes(b"index")
    (folder / "variables/variables.data-00000-of-00001").write_bytes(weights)
    return folder


def make_provenance(**changes: Any) -> Provenance:
    given: dict[str, Any] = {
        "pipeline": "taxi",
        "run_id": "run-1",
        "spans": (3,),
        "fingerprints": {"data": "d", "code": "c", "settings": "s"},
        "schema_hash": "h",
        "blessing": Blessing(blessed=True),
        "metrics": {"Overall": {"auc": 0.9}},
    }
    return Provenance(**{**given, **changes})
