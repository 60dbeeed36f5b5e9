"""Uploads, runs and recurring runs: against our server, and with KFP_ENDPOINT against a real one."""

from __future__ import annotations

import dataclasses
import datetime
import uuid
from pathlib import Path

import pytest

from runners.kubeflow.service.api import PipelinesApi
from runners.kubeflow.service.cron import Schedule, kfp_cron
from runners.kubeflow.service.experiments import ensure_experiment
from runners.kubeflow.service.recurring import (
    Wanted,
    delete_recurring_run,
    ensure_recurring_run,
    find_recurring_runs,
    get_recurring_run,
    list_recurring_runs,
    one_recurring_run,
    set_enabled,
)
from runners.kubeflow.service.refusal import RefusedError
from runners.kubeflow.service.runs import get_run, list_runs, run_name, start_run, terminate_run
from runners.kubeflow.service.versions import Version, ensure_version
from runners.kubeflow.specification import Specification, read_specification
from schemas.errors import RunError
from tests.integration.kubeflow_api.pipelines import greeting


def wanted(api: PipelinesApi, specification: Specification, schedule: Schedule) -> Wanted:
    version = ensure_version(api, specification)
    experiment = ensure_experiment(api, specification.name)
    return Wanted(f"nightly-{uuid.uuid4().hex[:8]}", version, experiment, schedule, {"steps": 3})


def test_the_same_content_is_one_version(api: PipelinesApi, specification: Specification) -> None:
    first = ensure_version(api, specification)
    again = ensure_version(api, specification)

    assert first.name == f"{specification.name}-sha256-{specification.digest[:16]}"
    assert again == dataclasses.replace(first, uploaded=False)


def test_other_content_is_another_version_of_the_same_pipeline(
    api: PipelinesApi, specification: Specification, tmp_path: Path
) -> None:
    first = ensure_version(api, specification)

    other = ensure_version(api, read_specification(greeting(tmp_path, specification.name, words="goodbye")))

    assert other.uploaded
    assert other.pipeline_id == first.pipeline_id
    assert other.version_id != first.version_id


@pytest.mark.parametrize("name", ["experiment", 'a + b, 100% "of" ä'])
def test_an_experiment_is_made_once(api: PipelinesApi, name: str) -> None:
    name = f"{name} {uuid.uuid4().hex[:8]}"

    assert ensure_experiment(api, name) == ensure_experiment(api, name)


def start(api: PipelinesApi, specification: Specification) -> tuple[str, Version]:
    version = ensure_version(api, specification)
    experiment = ensure_experiment(api, specification.name)
    name = run_name(specification.name)
    run = start_run(api, version, experiment, name, {"steps": 7, "word": "all"})
    assert run.name == name
    return run.run_id, version


def test_a_run_has_its_parameters_and_its_version(api: PipelinesApi, specification: Specification) -> None:
    run_id, version = start(api, specification)

    run = get_run(api, run_id)

    assert run.parameters == {"steps": 7, "word": "all"}
    assert run.version_id == version.version_id
    assert run.finished is None or run.finished >= (run.created or run.finished)
    assert run_id in [listed.run_id for listed in list_runs(api, run.experiment_id, 5)]


def test_runs_are_listed_newest_first(api: PipelinesApi, specification: Specification) -> None:
    older, _ = start(api, specification)
    newer, _ = start(api, specification)

    experiment = get_run(api, newer).experiment_id
    listed = [run.run_id for run in list_runs(api, experiment, 100)]

    assert {older, newer} <= set(listed)
    assert len(list_runs(api, experiment, 1)) == 1


def test_a_run_is_ended(api: PipelinesApi, specification: Specification) -> None:
    run_id, _ = start(api, specification)

    terminate_run(api, run_id)

    assert get_run(api, run_id).state in ("CANCELING", "CANCELED")


def test_a_recurring_run_lives(api: PipelinesApi, specification: Specification) -> None:
    asked = wanted(api, specification, Schedule(kfp_cron("30 3 * * 7")))

    made, new = ensure_recurring_run(api, asked)
    assert new
    assert made.enabled
    assert made.schedule == Schedule("0 30 3 * * 0")
    assert (made.max_concurrency, made.catch_up, dict(made.parameters)) == (1, False, {"steps": 3})

    same, new = ensure_recurring_run(api, asked)
    assert (same.recurring_run_id, new) == (made.recurring_run_id, False)

    set_enabled(api, made.recurring_run_id, False)
    assert not get_recurring_run(api, made.recurring_run_id).enabled
    set_enabled(api, made.recurring_run_id, True)
    assert one_recurring_run(api, asked.name).enabled
    assert made.recurring_run_id in [one.recurring_run_id for one in list_recurring_runs(api)]

    delete_recurring_run(api, made.recurring_run_id)
    assert find_recurring_runs(api, asked.name) == []
    with pytest.raises(RefusedError, match="The server knows no such thing"):
        get_recurring_run(api, made.recurring_run_id)


def test_an_interval_with_a_start_and_an_end(api: PipelinesApi, specification: Specification) -> None:
    begin = datetime.datetime(2027, 1, 31, 3, tzinfo=datetime.timezone.utc)
    schedule = Schedule("", 3600, begin, begin + datetime.timedelta(days=30))
    asked = dataclasses.replace(wanted(api, specification, schedule), enabled=False)

    made, _ = ensure_recurring_run(api, asked)

    found = get_recurring_run(api, made.recurring_run_id)
    assert found.schedule == schedule
    assert not found.enabled
    delete_recurring_run(api, made.recurring_run_id)


def test_another_recurring_run_of_the_name_is_replaced_only_when_asked(
    api: PipelinesApi, specification: Specification
) -> None:
    asked = dataclasses.replace(wanted(api, specification, Schedule("", 3600)), enabled=False)
    first, _ = ensure_recurring_run(api, asked)
    other = dataclasses.replace(asked, schedule=Schedule("", 7200))

    with pytest.raises(RunError, match="another recurring run of this name"):
        ensure_recurring_run(api, other)
    made, new = ensure_recurring_run(api, other, replace=True)

    assert new
    assert [one.recurring_run_id for one in find_recurring_runs(api, asked.name)] == [made.recurring_run_id]
    assert made.recurring_run_id != first.recurring_run_id
    delete_recurring_run(api, made.recurring_run_id)
