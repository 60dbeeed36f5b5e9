"""What servers are told while a label moves, in which order, and what they keep."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from schemas.errors import ReleaseError
from serving.labels import Labels
from serving.served_models import ServedModels, with_model
from serving.traffic_split import TrafficSplit, read_split
from tests.unit.serving.labelled_releases import BY, config, told
from tests.unit.serving.model_server import AVAILABLE, ModelServer


def test_the_part_of_live_requests_is_written_before_servers_are_told_and_goes_with_the_canary(
    labels: Labels, server: ModelServer
) -> None:
    labels.promote(1, told(server))
    seen = []
    server.refuses = lambda config: seen.append(read_split(labels.store.directory)) or ""  # type: ignore[func-returns-value]
    split = labels.canary(2, told(server), 10.0).split
    assert (split.stable, split.canary, split.percent) == (1, 2, 10.0)
    assert set(seen) == {split}
    assert labels.canary(2, told(server), 20.0).split != split
    labels.promote(2, told(server))
    assert read_split(labels.store.directory) == TrafficSplit.nothing(2)


def test_a_retention_during_a_move_keeps_the_version(labels: Labels, server: ModelServer) -> None:
    labels.promote(3, told(server))
    deleted = []

    def retain(_: ModelServerConfig) -> str:
        deleted.append(labels.store.retain(1))
        return ""

    server.refuses = retain
    labels.promote(1, told(server))
    assert 1 not in {version for versions in deleted for version in versions}
    assert labels.current() == {"stable": 1}


def test_a_server_loads_the_version_before_it_gets_the_label(labels: Labels, server: ModelServer) -> None:
    labels.promote(1, told(server))
    labels.promote(2, told(server))
    assert server.labels == {"taxi": {"stable": 2}}
    assert server.available("taxi") == {1, 2}
    # Nobody who asks for `stable` is ever refused once there is one, and nobody gets a version that is not loaded.
    moves = [one.get("taxi/stable") for one in server.served]
    assert moves == [None, 1, 1, 1, 2]


def test_what_is_no_longer_needed_is_unloaded(labels: Labels, server: ModelServer) -> None:
    assert server.available("taxi") == {4}
    labels.promote(1, told(server))
    assert server.available("taxi") == {1}


def test_a_server_gets_the_whole_config(labels: Labels, server: ModelServer, tmp_path: Path) -> None:
    (tmp_path / "other/7").mkdir(parents=True)
    served = ServedModels(labels.store.directory.parent)
    served.write(with_model(ModelServerConfig(), "other", str(tmp_path / "other"), labels={"stable": 7}, versions=[7]))
    server.start_with(served.config())
    labels.promote(1, told(server))
    assert server.labels == {"taxi": {"stable": 1}, "other": {"stable": 7}}
    assert server.configs[-1] == served.config()


@pytest.fixture
def beside(server: ModelServer, tmp_path: Path) -> Path:
    """The folder of another pipeline's model, which the server has, too."""
    folder = tmp_path.parent / f"{tmp_path.name}-digits/releases/mnist"
    (folder / "7").mkdir(parents=True)
    server.states["mnist"] = {7: AVAILABLE}
    return folder


def test_a_server_that_would_lose_another_pipelines_model_is_not_told(
    labels: Labels, server: ModelServer, beside: Path, tmp_path: Path
) -> None:
    (tmp_path / "pipeline").mkdir()
    (tmp_path / "releases").rename(tmp_path / "pipeline/releases")
    beside.parent.parent.rename(tmp_path / "digits")
    moved = Labels(tmp_path / "pipeline/releases", "taxi")
    with pytest.raises(ReleaseError, match="would unload them: mnist") as raised:
        moved.promote(1, told(server))
    assert raised.value.where == server.address
    assert f"--keep mnist={tmp_path}/digits/releases/mnist," in raised.value.fix
    assert (server.configs, moved.current()) == ([], {})
    moved.promote(1, replace(told(server), unload_others=True))
    assert server.available("mnist") == set()


def test_a_model_that_is_kept_stays_and_is_known_from_then_on(
    labels: Labels, server: ModelServer, beside: Path
) -> None:
    keep = (f"mnist={beside}",)
    labels.promote(1, replace(told(server), keep=keep))
    assert server.available("mnist") == {7}
    assert server.labels["taxi"] == {"stable": 1}
    assert [entry.name for entry in config(labels).model_config_list.config] == ["taxi"]
    with pytest.raises(ReleaseError, match="would unload them: mnist"):
        labels.promote(2, told(server))
    assert labels.rollback(replace(told(server), keep=keep), to=2).entry.kept == ("mnist",)
    assert server.available("mnist") == {7}


def test_a_move_that_fails_gives_servers_back_what_they_keep(labels: Labels, server: ModelServer, beside: Path) -> None:
    request = replace(told(server), keep=(f"mnist={beside}",))
    labels.promote(1, request)
    server.broken = {2}
    with pytest.raises(ReleaseError, match="cannot load version 2"):
        labels.promote(2, request)
    assert server.available("mnist") == {7}
    server.broken, server.refuses = set(), lambda config: "full"
    with pytest.raises(ReleaseError, match=f"not put back: {server.address}: INTERNAL: full") as caught:
        labels.promote(2, request)
    assert "Where it tells of mnist: --keep names folders as the server sees them." in str(caught.value.fix)


def test_a_model_that_is_kept_by_its_folder_keeps_its_labels(labels: Labels, server: ModelServer, beside: Path) -> None:
    (beside / "8").mkdir()
    served = ServedModels(beside.parent)
    served.write(with_model(ModelServerConfig(), "mnist", "/elsewhere", labels={"stable": 7}, versions=[7]))
    labels.promote(1, replace(told(server), keep=(f"mnist={beside}",)))
    assert server.labels == {"taxi": {"stable": 1}, "mnist": {"stable": 7}}
    assert server.available("mnist") == {7}


def test_names_that_metrics_tell_are_asked_for(labels: Labels, server: ModelServer) -> None:
    server.states["tip"] = {1: AVAILABLE}
    with pytest.raises(ReleaseError, match=r"would unload them: tip\.\n(.*\n)*.*--keep tip=DIR"):
        labels.promote(1, replace(told(server), others=("tip", "taxi", "never was")))


def test_a_server_that_was_started_without_labels_gets_them(labels: Labels, server: ModelServer) -> None:
    labels.promote(1, BY)
    labels.promote(2, told(server))
    assert server.labels == {"taxi": {"stable": 2}}
