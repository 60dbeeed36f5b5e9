"""Labels: what is written, what servers are told in which order, and that a failure leaves everything as it was."""

from __future__ import annotations

import json
import resource
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from schemas.errors import ReleaseError, RunError
from serving.audit_log import AuditEntry
from serving.blessing import Blessing
from serving.directory_lock import directory_lock
from serving.labels import Labels, Request
from serving.other_models import kept_models
from serving.release import Provenance
from serving.releases import ReleaseStore
from serving.served_models import ServedModels, with_model
from serving.traffic_split import TrafficSplit, read_split
from tests.unit.serving.model_server import AVAILABLE, ModelServer, running

BY = Request(who="ann", host="vm", why="weekly", load_seconds=20.0)
REFUSED = 4
"""The one version that is not blessed."""


@pytest.fixture
def labels(tmp_path: Path, source: Path, provenance: Callable[..., Provenance]) -> Labels:
    store = ReleaseStore(tmp_path / "releases", "taxi")
    for version in (1, 2, 3, REFUSED):
        store.publish(source, provenance(spans=(version,), blessing=Blessing(blessed=version != REFUSED)))
    return Labels(tmp_path / "releases", "taxi")


@pytest.fixture
def server(labels: Labels) -> Iterator[ModelServer]:
    """A model server that has the newest version, as one that was started on the folder."""
    server = ModelServer()
    server.start_with(with_model(ModelServerConfig(), "taxi", str(labels.store.directory), labels={}, versions=None))
    with running(server):
        yield server


def config(labels: Labels) -> ModelServerConfig:
    return ServedModels(labels.store.directory.parent).config()


def versions(labels: Labels) -> list[int]:
    (entry,) = config(labels).model_config_list.config
    return list(entry.model_version_policy.specific.versions)


def told(server: ModelServer) -> Request:
    return replace(BY, servers=(server.address,))


def test_the_first_promotion_writes_the_config(labels: Labels) -> None:
    labels.promote(2, BY)
    assert config(labels) == text_format.Parse(
        f"""model_config_list {{ config {{
            name: "taxi" base_path: "{labels.store.directory}" model_platform: "tensorflow"
            model_version_policy {{ specific {{ versions: 2 }} }} version_labels {{ key: "stable" value: 2 }}
        }} }}""",
        ModelServerConfig(),
    )


def test_a_promotion_is_logged(labels: Labels) -> None:
    labels.promote(1, BY)
    labels.promote(2, replace(BY, why="better"))
    first, second = labels.log.entries()
    assert (first.before, first.after, first.labels) == (None, 1, {"stable": 1})
    assert (second.before, second.after, second.why, second.who, second.host) == (1, 2, "better", "ann", "vm")


def test_the_version_before_stays_loaded_so_that_a_rollback_need_not_wait(labels: Labels) -> None:
    for version in (1, 2, 3):
        labels.promote(version, BY)
    assert versions(labels) == [2, 3]


def test_nothing_newer_than_stable_is_loaded_as_requests_without_a_label_would_get_it(labels: Labels) -> None:
    labels.promote(3, BY)
    labels.promote(2, BY)
    assert versions(labels) == [2]


def test_rollbacks_go_back_one_by_one_and_never_to_what_they_left(labels: Labels) -> None:
    for version in (1, 2, 3):
        labels.promote(version, BY)
    assert labels.rollback(BY).entry.labels == {"stable": 2}
    assert labels.rollback(BY).entry.labels == {"stable": 1}
    with pytest.raises(ReleaseError, match="no version to go back to") as raised:
        labels.rollback(BY)
    assert raised.value.fix.endswith("Other versions there: 2, 3, 4.")  # not the one that is stable
    assert labels.current() == {"stable": 1}


def test_a_rollback_passes_over_versions_that_are_gone(labels: Labels) -> None:
    for version in (1, 2, 3):
        labels.promote(version, BY)
    (labels.store.directory / "2").rename(labels.store.directory / ".gone")
    assert labels.rollback(BY).entry.after == 1


def test_a_rollback_to_a_version(labels: Labels) -> None:
    labels.promote(3, BY)
    assert labels.rollback(BY, to=1).entry.labels == {"stable": 1}


def test_a_canary_beside_stable(labels: Labels) -> None:
    labels.promote(1, BY)
    labels.canary(3, BY, 10.0)
    assert labels.current() == {"stable": 1, "canary": 3}
    assert versions(labels) == [1, 3]
    assert labels.log.entries()[-1].percent == 10.0


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


def test_a_canary_that_a_server_refuses_leaves_the_split_as_it_was(labels: Labels, server: ModelServer) -> None:
    labels.promote(1, told(server))
    split = labels.canary(2, told(server), 10.0).split
    server.broken = {3}
    with pytest.raises(ReleaseError, match="cannot load version 3"):
        labels.canary(3, told(server), 50.0)
    assert read_split(labels.store.directory) == split
    assert labels.current() == {"stable": 1, "canary": 2}


def test_stable_is_no_canary_of_its_own(labels: Labels) -> None:
    labels.promote(1, BY)
    with pytest.raises(ReleaseError, match="Version 1 is stable"):
        labels.canary(1, BY, 10.0)
    assert labels.current() == {"stable": 1}


def test_promoting_the_canary_ends_it_and_its_label_goes_on_to_lead_to_something(labels: Labels) -> None:
    labels.promote(1, BY)
    labels.canary(3, BY)
    assert labels.promote(3, BY, canary=True).entry.labels == {"stable": 3, "canary": 3}


def test_the_end_of_a_canary_gives_its_label_to_stable(labels: Labels) -> None:
    labels.promote(1, BY)
    labels.canary(3, BY)
    labels.end_canary(BY, 3)
    assert labels.current() == {"stable": 1, "canary": 1}
    assert versions(labels) == [1]
    with pytest.raises(ReleaseError, match="There is no canary"):
        labels.end_canary(BY)


def test_a_canary_that_has_ended_goes_along_with_stable_and_one_that_has_not_stays(labels: Labels) -> None:
    labels.promote(1, BY)
    labels.canary(2, BY)
    labels.end_canary(BY)
    labels.promote(2, BY)
    assert labels.current() == {"stable": 2, "canary": 2}
    labels.canary(3, BY)
    labels.rollback(BY)
    assert labels.current() == {"stable": 1, "canary": 3}


def test_a_canary_that_somebody_has_replaced_is_not_promoted(labels: Labels) -> None:
    labels.promote(1, BY)
    labels.canary(2, BY)
    labels.canary(3, BY)
    for move in (lambda: labels.promote(2, BY, canary=True), lambda: labels.end_canary(BY, 2)):
        with pytest.raises(ReleaseError, match="Version 2 is no longer the canary"):
            move()


def test_a_canary_needs_something_to_be_compared_with(labels: Labels) -> None:
    with pytest.raises(ReleaseError, match="No version is stable yet"):
        labels.canary(1, BY)


def test_an_altered_version_is_refused_by_its_path(labels: Labels) -> None:
    labels.promote(1, BY)
    (labels.store.directory / "2/variables/variables.index").write_bytes(b"indeX")
    for move in (lambda: labels.promote(2, replace(BY, force="x")), lambda: labels.canary(2, replace(BY, force="x"))):
        with pytest.raises(ReleaseError, match=r"Received: variables/variables\.index was changed"):
            move()
    assert labels.current() == {"stable": 1}


def test_a_version_that_is_not_blessed_needs_a_reason(labels: Labels) -> None:
    with pytest.raises(ReleaseError, match="Version 4 is not blessed"):
        labels.promote(REFUSED, BY)
    assert labels.promote(REFUSED, replace(BY, force="an emergency")).entry.forced == "an emergency"
    labels.promote(1, BY)
    labels.rollback(BY)  # it was stable: no reason is asked for again
    assert labels.current() == {"stable": REFUSED}


def test_a_promotion_that_failed_does_not_make_a_version_one_that_was_stable(
    labels: Labels, server: ModelServer
) -> None:
    labels.promote(1, told(server))
    server.refuses = lambda config: "no"
    with pytest.raises(ReleaseError, match="did not take the config"):
        labels.promote(REFUSED, replace(told(server), force="an emergency"))
    with pytest.raises(ReleaseError, match="Version 4 is not blessed"):
        labels.rollback(BY, to=REFUSED)


def test_a_version_that_is_not_there_is_refused(labels: Labels) -> None:
    with pytest.raises(ReleaseError, match=r"no such version.\n.*\n  Received: 9\n  Fix: Versions there: 1, 2, 3, 4"):
        labels.promote(9, BY)


def test_other_models_and_labels_stay(labels: Labels) -> None:
    served = ServedModels(labels.store.directory.parent)
    before = with_model(ModelServerConfig(), "other", "/o", labels={"stable": 7}, versions=[7])
    served.write(with_model(before, "taxi", "/mounted", labels={"beta": 3}, versions=[3]))
    labels.promote(1, BY)
    other, taxi = served.config().model_config_list.config
    assert other == before.model_config_list.config[0]
    assert (taxi.base_path, dict(taxi.version_labels)) == ("/mounted", {"beta": 3, "stable": 1})


def test_base_path_is_where_servers_see_the_folder(labels: Labels) -> None:
    labels.promote(1, replace(BY, base_path="/srv/models/taxi"))
    labels.promote(2, BY)
    assert config(labels).model_config_list.config[0].base_path == "/srv/models/taxi"


def test_labels_that_something_else_wrote_are_noted(labels: Labels) -> None:
    labels.promote(1, BY)
    labels.promote(2, BY)
    served = ServedModels(labels.store.directory.parent)
    served.write(with_model(served.config(), "taxi", "/r", labels={"stable": 3}, versions=[3]))
    labels.rollback(BY)
    noticed, last = labels.log.entries()[-2:]
    assert (noticed.action, noticed.before, noticed.after) == ("noticed", 2, 3)
    assert (last.before, last.after) == (3, 2)


def test_a_retention_keeps_what_is_served_and_what_a_rollback_needs(labels: Labels) -> None:
    for version in (3, 1):
        labels.promote(version, BY)
    labels.canary(2, BY)
    assert labels.store.retain(1) == ()
    labels.end_canary(BY)
    assert labels.store.retain(1) == (2,)
    assert list(labels.store.versions()) == [1, 3, 4]


def test_a_retention_keeps_what_has_any_label(labels: Labels) -> None:
    ServedModels(labels.store.directory.parent).write(
        with_model(ModelServerConfig(), "taxi", "/mounted", labels={"of-last-year": 1, "beta": 2}, versions=None)
    )
    assert labels.store.retain(1) == ()
    assert list(labels.store.versions()) == [1, 2, 3, REFUSED]
    labels.promote(3, BY)
    ServedModels(labels.store.directory.parent).write(
        with_model(ModelServerConfig(), "taxi", "/mounted", labels={"beta": 2}, versions=None)
    )
    assert labels.store.retain(1) == (1,)


def test_a_retention_deletes_nothing_where_it_cannot_read_what_is_served(labels: Labels) -> None:
    labels.promote(1, BY)
    (labels.store.directory.parent / "models.config").write_text("{")
    with pytest.raises(ReleaseError, match="models.config"):
        labels.store.retain(1)
    assert list(labels.store.versions()) == [1, 2, 3, 4]


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
    keep = kept_models([f"mnist={beside}"])
    labels.promote(1, replace(told(server), keep=keep))
    assert server.available("mnist") == {7}
    assert server.labels["taxi"] == {"stable": 1}
    assert [entry.name for entry in config(labels).model_config_list.config] == ["taxi"]
    with pytest.raises(ReleaseError, match="would unload them: mnist"):
        labels.promote(2, told(server))
    assert labels.rollback(replace(told(server), keep=keep), to=2).entry.kept == ("mnist",)
    assert server.available("mnist") == {7}


def test_a_move_that_fails_gives_servers_back_what_they_keep(labels: Labels, server: ModelServer, beside: Path) -> None:
    request = replace(told(server), keep=kept_models([f"mnist={beside}"]))
    labels.promote(1, request)
    server.broken = {2}
    with pytest.raises(ReleaseError, match="cannot load version 2"):
        labels.promote(2, request)
    assert server.available("mnist") == {7}
    server.broken, server.refuses = set(), lambda config: "full"
    with pytest.raises(ReleaseError, match=f"not put back: {server.address}: INTERNAL: full"):
        labels.promote(2, request)


def test_names_that_metrics_tell_are_asked_for(labels: Labels, server: ModelServer) -> None:
    server.states["tip"] = {1: AVAILABLE}
    with pytest.raises(ReleaseError, match=r"would unload them: tip\.\n(.*\n)*.*--keep tip=DIR"):
        labels.promote(1, replace(told(server), others=("tip", "taxi", "never was")))


def test_a_server_that_was_started_without_labels_gets_them(labels: Labels, server: ModelServer) -> None:
    labels.promote(1, BY)
    labels.promote(2, told(server))
    assert server.labels == {"taxi": {"stable": 2}}


def left(labels: Labels, text: str | None, server: ModelServer, before: dict[str, int], loaded: set[int]) -> None:
    """Everything is as before, and the log says that and why."""
    assert ServedModels(labels.store.directory.parent).text() == text
    assert labels.current() == before
    last: AuditEntry = labels.log.entries()[-1]
    assert (last.outcome, last.labels, server.address in last.error) == ("failed", before, True)
    assert {version for version, state in server.states["taxi"].items() if state == AVAILABLE} >= loaded
    assert server.labels["taxi"] == before


def test_a_version_that_cannot_be_loaded_changes_nothing(labels: Labels, server: ModelServer) -> None:
    labels.promote(1, told(server))
    text = ServedModels(labels.store.directory.parent).text()
    server.broken = {2}
    with pytest.raises(ReleaseError, match=r"cannot load version 2 of taxi.\n  Where: 127.0.0.1.*\n.*variables cannot"):
        labels.promote(2, told(server))
    left(labels, text, server, {"stable": 1}, {1})
    assert 2 not in server.available("taxi")


def test_the_first_promotion_that_fails_leaves_no_file(labels: Labels, server: ModelServer) -> None:
    server.broken = {2}
    with pytest.raises(ReleaseError, match="cannot load version 2"):
        labels.promote(2, told(server))
    left(labels, None, server, {}, {4})


def test_servers_that_followed_are_put_back_where_another_one_refuses(labels: Labels, server: ModelServer) -> None:
    labels.promote(1, told(server))
    text = ServedModels(labels.store.directory.parent).text()
    other = ModelServer(refuses=lambda config: "no" if "value: 2" in str(config) else "")
    other.start_with(config(labels))
    with running(other):
        with pytest.raises(ReleaseError, match="did not take the config") as raised:
            labels.promote(2, replace(BY, servers=(server.address, other.address)))
        assert raised.value.where == other.address
        assert {"taxi/stable": 2} in server.served
        assert server.labels == other.labels == {"taxi": {"stable": 1}}
    assert ServedModels(labels.store.directory.parent).text() == text


def test_a_server_that_is_not_there_is_named_and_changes_nothing(labels: Labels, server: ModelServer) -> None:
    labels.promote(1, told(server))
    text, configs = ServedModels(labels.store.directory.parent).text(), len(server.configs)
    with running(ModelServer()) as gone:
        address = gone.address
    with pytest.raises(ReleaseError, match="UNAVAILABLE") as raised:
        labels.promote(2, replace(BY, servers=(server.address, address)))
    assert raised.value.where == address
    assert "not put back" not in str(raised.value)  # it was asked before any server was told
    assert len(server.configs) == configs
    assert ServedModels(labels.store.directory.parent).text() == text
    assert server.labels == {"taxi": {"stable": 1}}


def test_a_server_that_does_not_finish_in_time_is_named(labels: Labels, server: ModelServer) -> None:
    labels.promote(1, told(server))
    server.slow = {2}
    with pytest.raises(ReleaseError, match=r"has not loaded version 2 of taxi after 0\.2 seconds"):
        labels.promote(2, replace(told(server), load_seconds=0.2))
    assert labels.current() == {"stable": 1}


def test_one_that_failed_once_may_be_tried_again(labels: Labels, server: ModelServer) -> None:
    labels.promote(1, told(server))
    server.broken = {2}
    with pytest.raises(ReleaseError):
        labels.promote(2, told(server))
    server.broken = set()
    labels.promote(2, told(server))
    assert server.labels == {"taxi": {"stable": 2}}


def test_a_server_that_cannot_unload_is_a_note(labels: Labels, server: ModelServer) -> None:
    for version in (1, 2):
        labels.promote(version, told(server))
    calls = iter(["", "", "busy"])
    server.refuses = lambda config: next(calls)
    moved = labels.promote(3, told(server))
    assert labels.current() == {"stable": 3}
    assert len(moved.notes) == 1
    assert server.address in moved.notes[0]


def test_a_full_disk_leaves_everything_as_it_was(labels: Labels, server: ModelServer) -> None:
    for version in (1, 2, 1):
        labels.promote(version, told(server))
    text, log = ServedModels(labels.store.directory.parent).text(), labels.log.path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    assert len(str(text)) + 100 < len(log)
    # The config is smaller than the log: it can be written, and the log's line, which comes later, cannot.
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(log) + 10, limits[1]))
    try:
        with pytest.raises(RunError, match="The disk is full"):
            labels.promote(2, told(server))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert ServedModels(labels.store.directory.parent).text() == text
    assert labels.log.path.read_bytes() == log
    assert server.labels == {"taxi": {"stable": 1}}


def test_one_command_waits_for_another(labels: Labels) -> None:
    moved = threading.Event()

    def promote() -> None:
        labels.promote(2, BY)
        moved.set()

    thread = threading.Thread(target=promote)
    with directory_lock(labels.store.directory.parent):
        thread.start()
        assert not moved.wait(0.2)
    thread.join(20)
    assert moved.is_set()


def test_a_model_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="Versions there: none"):
        Labels(tmp_path, "taxi").promote(1, BY)
    assert list(tmp_path.iterdir()) == []


def test_every_line_of_the_log_is_json(labels: Labels) -> None:
    labels.promote(1, BY)
    labels.canary(2, BY)
    labels.end_canary(BY)
    lines = [json.loads(line) for line in (labels.store.directory / "audit.jsonl").read_text().splitlines()]
    assert [(line["action"], line["label"], line["from"], line["to"]) for line in lines] == [
        ("promote", "stable", None, 1),
        ("canary", "canary", None, 2),
        ("rollback", "canary", 2, 1),
    ]
