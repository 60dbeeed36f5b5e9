"""A move that fails leaves everything as it was."""

from __future__ import annotations

import resource
from dataclasses import replace

import pytest

from schemas.errors import ReleaseError, RunError
from serving.audit_log import AuditEntry
from serving.labels import Labels
from serving.served_models import ServedModels
from serving.traffic_split import read_split
from tests.unit.serving.labelled_releases import BY, REFUSED, config, told
from tests.unit.serving.model_server import AVAILABLE, ModelServer, running


def test_a_canary_that_a_server_refuses_leaves_the_split_as_it_was(labels: Labels, server: ModelServer) -> None:
    labels.promote(1, told(server))
    split = labels.canary(2, told(server), 10.0).split
    server.broken = {3}
    with pytest.raises(ReleaseError, match="cannot load version 3"):
        labels.canary(3, told(server), 50.0)
    assert read_split(labels.store.directory) == split
    assert labels.current() == {"stable": 1, "canary": 2}


def test_a_promotion_that_failed_does_not_make_a_version_one_that_was_stable(
    labels: Labels, server: ModelServer
) -> None:
    labels.promote(1, told(server))
    server.refuses = lambda config: "no"
    with pytest.raises(ReleaseError, match="did not take the config"):
        labels.promote(REFUSED, replace(told(server), force="an emergency"))
    with pytest.raises(ReleaseError, match="Version 4 is not blessed"):
        labels.rollback(BY, to=REFUSED)


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


def test_a_model_whose_requests_were_not_split_is_not_split_by_a_promotion_that_failed(
    labels: Labels, server: ModelServer
) -> None:
    server.broken = {2}
    with pytest.raises(ReleaseError, match="cannot load version 2"):
        labels.promote(2, told(server))
    assert read_split(labels.store.directory) is None


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
