"""Releases, a server of them, and `scalable-tf release` on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from runners.cli import main
from serving.blessing import Blessing, Failure
from serving.releases import ReleaseStore
from serving.served_models import with_model
from tests.unit.serving.conftest import make_provenance, make_source
from tests.unit.serving.model_server import ModelServer, running
from tests.unit.serving.prediction_server import Predictions

Run = Callable[..., tuple[int, str, str]]
REFUSED = Blessing(blessed=False, failures=(Failure(slice="Overall", metric="auc", value=0.5, bound="at least 0.9"),))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three versions; the third one is not blessed."""
    store, source = ReleaseStore(tmp_path / "releases", "taxi"), make_source(tmp_path / "model")
    for version in (1, 2, 3):
        blessing = REFUSED if version == 3 else Blessing(blessed=True)
        store.publish(source, make_provenance(run_id=f"run-{version}", spans=(version,), blessing=blessing))
    return tmp_path / "releases"


@pytest.fixture
def run(root: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(action: str, *options: str) -> tuple[int, str, str]:
        code = main(["release", action, *options, "--releases", str(root), "--model", "taxi"])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def predictions(root: Path) -> Iterator[Predictions]:
    """A model server on the folder."""
    server = ModelServer()
    server.start_with(with_model(ModelServerConfig(), "taxi", str(root / "taxi"), labels={}, versions=None))
    found = Predictions(server)
    with running(server, found.add):
        yield found


@pytest.fixture
def requests(tmp_path: Path) -> str:
    path = tmp_path / "requests.jsonl"
    path.write_text("".join(f'{{"instances": [{{"x": {x}.5}}]}}\n' for x in range(10)))
    return str(path)
