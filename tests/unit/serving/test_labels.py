"""Labels: what is written, what rollbacks and canaries do, and what is refused."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from schemas.errors import ReleaseError
from serving.directory_lock import directory_lock
from serving.labels import Labels
from serving.served_models import ServedModels, with_model
from tests.unit.serving.labelled_releases import BY, REFUSED, config, versions


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


def test_one_command_waits_for_another(labels: Labels) -> None:
    moved = threading.Event()

    def promote() -> None:
        labels.promote(2, BY)
        moved.set()

    thread = threading.Thread(target=promote)
    with directory_lock(labels.store.directory.parent):
        thread.start()
        assert not moved.wait(0.2)
    thread.join(120)
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
