from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from tfx.types import standard_artifacts

from runners.cleaning.folders import output_folders
from runners.cleaning.plan import (
    INTERRUPTED,
    KILLED,
    NOT_NEEDED,
    OLD_LOGS,
    OLD_NOTES,
    OLD_PREPARED,
    OTHERS,
    READ_BY_OTHERS,
    TEMPORARY,
    UNKNOWN,
    Plan,
    make_plan,
)
from runners.cleaning.removal import remove_folders
from tests.unit.runners.made_history import Artifacts, MadeHistory

pytestmark = pytest.mark.slow

REFUSED = {"blessed": 0}


@pytest.fixture
def made(tmp_path: Path) -> MadeHistory:
    return MadeHistory(tmp_path)


def refused(made: MadeHistory, run_id: str, examples: Artifacts | None = None) -> Artifacts:
    """A run whose model was not blessed; with its own examples unless there are some. Returns them."""
    made.record(run_id)
    if examples is None:
        examples = made.ingest(run_id)
    else:
        made.node(run_id, "ExampleGen", cached=examples)
    made.train(run_id, examples, **REFUSED)
    return examples


def plan(made: MadeHistory, newest: int = 1, **options: Any) -> Plan:
    folders = output_folders(made.output_dir)
    with made.metadata as metadata:
        return make_plan(metadata, made.pipeline, made.output_dir, folders, newest=newest, **options)


def removed(found: Plan, made: MadeHistory, reason: str | None = None) -> set[str]:
    artifacts = made.output_dir / "artifacts"
    return {
        Path(one.path).relative_to(artifacts).as_posix()
        for one in found.remove
        if Path(one.path).is_relative_to(artifacts) and reason in (None, one.reason)
    }


def test_what_only_an_older_run_made_is_removed_with_its_size(made: MadeHistory) -> None:
    examples = refused(made, "1")  # executions 1 to 3
    refused(made, "2", examples)  # 4 to 6
    found = plan(made)
    assert removed(found, made) == {"Trainer/model/2", "Evaluator/blessing/3", "Evaluator/evaluation/3"}
    # The model of run 1 holds one file, with the one byte "1".
    assert [one.bytes for one in found.remove if "model" in one.path] == [1]
    assert {one.reason for one in found.remove} == {NOT_NEEDED}
    # ExampleGen's of run 1, and the three folders of run 2: 10 bytes each, and the model's one.
    assert [(one.reason, one.folders, one.bytes) for one in found.keep] == [("the newest run", 4, 31)]


def test_the_newest_runs_are_kept(made: MadeHistory) -> None:
    refused(made, "1", refused(made, "0"))
    assert plan(made, newest=2).remove == []


def test_a_released_run_is_kept_with_its_baseline(made: MadeHistory) -> None:
    made.record("1")
    (model,) = made.train("1", made.ingest("1"), **REFUSED)["model"]
    made.record("2")
    own = made.ingest("2")
    made.release("2", made.train("2", own, [model]), own)
    refused(made, "3")
    gone = removed(plan(made), made)
    assert "ExampleGen/examples/1" in gone
    assert "Trainer/model/2" not in gone  # the baseline
    assert not {one for one in gone if one.rpartition("/")[2] in ("4", "5", "6", "7")}


def test_failed_nights_do_not_push_out_the_newest_complete_run(made: MadeHistory) -> None:
    refused(made, "1")
    for run_id in ("2", "3"):
        made.record(run_id, "failed")
        made.node(run_id, "ExampleGen", state="failed")
    assert removed(plan(made), made) == set()


def test_a_run_on_kubeflow_is_kept_until_it_has_ended(made: MadeHistory) -> None:
    refused(made, "1")
    refused(made, "2")
    made.record("1", "running", orchestrator="kubeflow")
    assert removed(plan(made), made) == set()
    made.record("1", "failed", orchestrator="kubeflow")
    assert removed(plan(made), made) == {
        *("ExampleGen/examples/1", "Trainer/model/2", "Evaluator/blessing/3", "Evaluator/evaluation/3"),
    }


def test_the_latest_blessed_model_is_kept_and_not_what_it_was_made_of(made: MadeHistory) -> None:
    made.record("1")
    made.train("1", made.ingest("1"))
    refused(made, "2")
    gone = removed(plan(made), made)
    assert gone == {"ExampleGen/examples/1", "Evaluator/evaluation/3"}


def test_what_a_killed_run_left_goes_when_the_run_is_not_kept(made: MadeHistory) -> None:
    made.record("1", "interrupted")
    made.node("1", "ExampleGen", {}, {"examples": standard_artifacts.Examples}, state="running")
    refused(made, "2")
    assert removed(plan(made), made, KILLED) == {"ExampleGen/examples/1"}
    assert removed(plan(made, newest=2), made) == set()


def test_another_pipeline_of_the_same_store_and_folder_is_left_alone(made: MadeHistory) -> None:
    other = MadeHistory(made.folder, "other")
    refused(other, "other 1")
    refused(made, "1")
    refused(made, "2")
    found = plan(made)
    assert removed(found, made) == {
        "ExampleGen/examples/4", "Trainer/model/5", "Evaluator/blessing/6", "Evaluator/evaluation/6",
    }  # fmt: skip
    assert [(one.reason, one.folders) for one in found.leave] == [(OTHERS, 4)]


def test_what_another_pipeline_reads_is_kept(made: MadeHistory) -> None:
    examples = refused(made, "1")
    other = MadeHistory(made.folder, "other")
    other.node("other 1", "Trainer", examples, {"model": standard_artifacts.Model})
    refused(made, "2")
    assert "ExampleGen/examples/1" not in removed(plan(made), made)


def test_what_a_run_in_another_output_dir_took_from_the_cache_is_kept(made: MadeHistory) -> None:
    examples = refused(made, "1")
    other = MadeHistory(made.folder / "other", store_file=made.output_dir / "metadata/metadata.sqlite")
    refused(other, "other 1", examples)
    refused(made, "2")
    assert removed(plan(made), made) == {"Trainer/model/2", "Evaluator/blessing/3", "Evaluator/evaluation/3"}


def test_what_the_store_does_not_know_goes_only_when_that_is_asked_for(made: MadeHistory) -> None:
    refused(made, "1")
    (made.output_dir / "artifacts/Trainer/model/77").mkdir()
    assert [(one.reason, one.folders) for one in plan(made).leave] == [(UNKNOWN, 1)]
    assert removed(plan(made, unknown=True), made, UNKNOWN) == {"Trainer/model/77"}


def test_a_folder_of_a_node_that_its_execution_is_not_of_is_not_taken_for_a_leftover(made: MadeHistory) -> None:
    made.record("1", "failed")
    made.node("1", "ExampleGen", state="failed")
    refused(made, "2")
    (made.output_dir / "artifacts/Trainer/model/1").mkdir()
    assert removed(plan(made), made) == set()


def test_temporary_folders_go_when_they_are_older_than_the_kept_runs(made: MadeHistory) -> None:
    refused(made, "1")
    system = made.output_dir / "artifacts/Trainer/.system"
    for name in ("old", "new"):
        (system / "driver_execution" / name).mkdir(parents=True)
    os.utime(system / "driver_execution/old", (1, 1))
    assert removed(plan(made), made, TEMPORARY) == {"Trainer/.system/driver_execution/old"}


def test_system_folders_go_with_their_execution(made: MadeHistory) -> None:
    examples = refused(made, "1")
    refused(made, "2", examples)
    for execution in (2, 5):
        (made.output_dir / f"artifacts/Trainer/.system/executor_execution/{execution}").mkdir(parents=True)
    assert {one for one in removed(plan(made), made) if "system" in one} == {"Trainer/.system/executor_execution/2"}


def interrupted(made: MadeHistory, run_id: str, name: str) -> Path:
    """A run that was interrupted in Trainer; returns the folder that holds its backup."""
    made.record(run_id, "interrupted")
    execution, _ = made.node(run_id, "Trainer", state="failed")
    backup = made.output_dir / "artifacts/Trainer/.system/stateful_working_dir" / name.format(execution)
    backup.mkdir(parents=True)
    os.utime(backup, (1, 1))
    return backup


@pytest.mark.parametrize("name", ["{}", "1-{}"])
def test_a_backup_goes_with_its_run(made: MadeHistory, name: str) -> None:
    backup = interrupted(made, "1", name)
    refused(made, "2")
    assert [one.path for one in plan(made).remove] == [str(backup)]
    assert plan(made, newest=2).remove == []


@pytest.mark.parametrize("name", ["{}", "other-1-{}"])
def test_the_backup_of_another_pipeline_is_left_alone(made: MadeHistory, name: str) -> None:
    interrupted(MadeHistory(made.folder, "other"), "other-1", name)
    refused(made, "1")
    found = plan(made, unknown=True)
    assert found.remove == []
    assert [(one.reason, one.folders) for one in found.leave] == [(OTHERS, 1)]


def test_a_backup_whose_execution_nobody_knows_goes_only_when_that_is_asked_for(made: MadeHistory) -> None:
    refused(made, "1")
    backup = made.output_dir / "artifacts/Trainer/.system/stateful_working_dir/a75e8ba1-3c9d-4d22-b46c-1e0a5f9c2d3b"
    backup.mkdir(parents=True)
    os.utime(backup, (1, 1))
    assert plan(made).remove == []
    assert [one.path for one in plan(made, unknown=True).remove] == [str(backup)]


def test_folders_are_not_measured_while_the_store_is_held(made: MadeHistory) -> None:
    examples = refused(made, "1")
    refused(made, "2", examples)
    folders = output_folders(made.output_dir)
    (made.output_dir / "artifacts/Trainer/model/2/more").write_text("more")
    with made.metadata as metadata:
        found = make_plan(metadata, "trips", made.output_dir, folders, newest=1)
    assert [one.bytes for one in found.remove if "model" in one.path] == [1]


def test_links_are_not_followed(made: MadeHistory, tmp_path: Path) -> None:
    examples = refused(made, "1")
    refused(made, "2", examples)
    model = made.output_dir / "artifacts/Trainer/model/2"
    model.rename(tmp_path / "elsewhere")
    model.symlink_to(tmp_path / "elsewhere")
    assert "Trainer/model/2" not in removed(plan(made), made)


def test_an_output_dir_that_is_reached_through_a_link_is_the_same_one(made: MadeHistory, tmp_path: Path) -> None:
    examples = refused(made, "1")
    refused(made, "2", examples)
    (tmp_path / "link").symlink_to(made.output_dir)
    folders = output_folders(tmp_path / "link")
    with made.metadata as metadata:
        found = make_plan(metadata, "trips", tmp_path / "link", folders, newest=1)
    assert {Path(one.path).parent.name for one in found.remove} == {"model", "blessing", "evaluation"}


def read_prepared(made: MadeHistory, run_id: str, name: str) -> None:
    made.record(run_id)
    properties = {
        "input_base": str(made.output_dir / "prepared"),
        "input_config": json.dumps({"splits": [{"pattern": name}]}),
    }
    made.node(run_id, "ExampleGen", {}, {"examples": standard_artifacts.Examples}, properties=properties)


def test_prepared_data_go_when_no_kept_run_used_them_and_they_are_not_the_newest(made: MadeHistory) -> None:
    prepared = made.output_dir / "prepared"
    for age, name in enumerate(("newest", "kept", "old", "nobody's")):
        (prepared / name).mkdir(parents=True)
        os.utime(prepared / name, (1000 - age, 1000 - age))
    for run_id, name in (("1", "old"), ("2", "kept")):
        read_prepared(made, run_id, name)
    found = plan(made)
    assert [one.path for one in found.remove if one.reason == OLD_PREPARED] == [str(prepared / "old")]
    assert [(one.reason, one.folders) for one in found.leave] == [(UNKNOWN, 1)]


def test_prepared_data_that_another_pipeline_used_too_are_kept(made: MadeHistory) -> None:
    prepared = made.output_dir / "prepared"
    for age, name in enumerate(("newest", "kept", "old")):
        (prepared / name).mkdir(parents=True)
        os.utime(prepared / name, (1000 - age, 1000 - age))
    read_prepared(MadeHistory(made.folder, "other"), "other 1", "old")
    for run_id, name in (("1", "old"), ("2", "kept")):
        read_prepared(made, run_id, name)
    found = plan(made)
    assert [one.path for one in found.remove if one.reason == OLD_PREPARED] == []
    assert [one.folders for one in found.keep if one.reason == READ_BY_OTHERS] == [1]


def test_logs_go_when_that_is_asked_for(made: MadeHistory) -> None:
    examples = refused(made, "1")
    refused(made, "2", examples)
    for run_id in ("1", "2", "somebody else's"):
        (made.output_dir / "logs" / run_id).mkdir(parents=True)
    assert not [one for one in plan(made).remove if one.reason == OLD_LOGS]
    found = [one.path for one in plan(made, logs=True).remove if one.reason == OLD_LOGS]
    assert found == [str(made.output_dir / "logs/1")]


def test_notes_of_runs_that_never_began_go_with_the_logs(made: MadeHistory) -> None:
    refused(made, "1")
    logs = made.output_dir / "logs"
    logs.mkdir(exist_ok=True)
    for name, modified in ((".told-failed-old", 1), (".told-failed-new", time.time() + 60)):
        (logs / name).touch()
        os.utime(logs / name, (modified, modified))
    assert not [one for one in plan(made).remove if one.reason == OLD_NOTES]
    found = [one.path for one in plan(made, logs=True).remove if one.reason == OLD_NOTES]
    assert found == [str(logs / ".told-failed-old")]
    remove_folders(made.output_dir, found)
    assert [path.name for path in logs.glob(".told-*")] == [".told-failed-new"]


@pytest.mark.parametrize("place", ["artifacts/Trainer/model", "prepared", "logs"])
def test_what_a_killed_clean_left_goes(made: MadeHistory, place: str) -> None:
    refused(made, "1")
    left = made.output_dir / place / ".deleted-0123456789abcdef"
    left.mkdir(parents=True)
    assert [(one.path, one.reason) for one in plan(made).remove] == [(str(left), INTERRUPTED)]


def test_a_release_without_its_record_is_noted(made: MadeHistory) -> None:
    refused(made, "1")
    (made.output_dir / "releases/trips/7").mkdir(parents=True)
    assert plan(made).notes == ["Version 7 of trips has no readable release.json: nothing is kept for its sake."]
