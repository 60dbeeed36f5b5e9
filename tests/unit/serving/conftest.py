"""A small SavedModel on disk, what is known about it, and labels. Importing this needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from serving.blessing import Blessing
from serving.release import Provenance

if TYPE_CHECKING:
    from serving.labels import Labels
    from tests.unit.serving.model_server import ModelServer


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


@pytest.fixture
def labels(tmp_path: Path, source: Path) -> Labels:
    """Of four versions, of which the last one is not blessed."""
    from serving.labels import Labels

    labels = Labels(tmp_path / "releases", "taxi")
    for version in (1, 2, 3, 4):
        labels.store.publish(source, make_provenance(spans=(version,), blessing=Blessing(blessed=version != 4)))
    return labels


@pytest.fixture
def server(labels: Labels) -> Iterator[ModelServer]:
    """A model server that has the newest version, as one that was started on the folder."""
    from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

    from serving.served_models import with_model
    from tests.unit.serving.model_server import ModelServer, running

    server = ModelServer()
    server.start_with(with_model(ModelServerConfig(), "taxi", str(labels.store.directory), labels={}, versions=None))
    with running(server):
        yield server


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
