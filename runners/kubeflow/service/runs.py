"""Runs on the server: started, watched, ended."""

from __future__ import annotations

import datetime
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runners.kubeflow.service.refusal import RefusedError
from runners.kubeflow.service.run_tasks import Task, happened, tasks_of
from schemas.errors import RunError

if TYPE_CHECKING:
    from runners.kubeflow.service.api import PipelinesApi
    from runners.kubeflow.service.versions import Version

FINAL = ("SUCCEEDED", "SKIPPED", "FAILED", "CANCELED")
_LOST = 60.0
"""Seconds for which a server that has answered before may be silent while a run is waited for."""


@dataclass(frozen=True)
class Run:
    """A run.

    Attributes:
        run_id: its id.
        name: its display name.
        state: as the server names it; CANCELED also where only its history says that somebody has terminated the run.
        created: when.
        finished: when; None before it has.
        experiment_id: its experiment.
        recurring_run_id: what made it; empty for a single run.
        version_id: of the pipeline.
        parameters: that were given.
        error: what the server says of a failure.
        tasks: those that the server knows of, without the drivers and DAGs of KFP itself.
    """

    run_id: str
    name: str
    state: str
    created: datetime.datetime | None
    finished: datetime.datetime | None
    experiment_id: str
    recurring_run_id: str
    version_id: str
    parameters: Mapping[str, Any]
    error: str
    tasks: tuple[Task, ...]


def run_name(pipeline: str) -> str:
    """A name that no other run has."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return f"{pipeline} {now:%Y-%m-%d %H-%M-%S} {secrets.token_hex(3)}"


def start_run(
    api: PipelinesApi,
    version: Version,
    experiment_id: str,
    name: str,
    parameters: Mapping[str, Any],
    pipeline_root: str | None = None,
    service_account: str | None = None,
) -> Run:
    """Starts one, and never two: where the answer is lost, it looks for the run by its name.

    Raises:
        RefusedError: the server does not start it, or whether it did is not known.
    """
    import kfp_server_api

    body = kfp_server_api.V2beta1Run(
        display_name=name,
        experiment_id=experiment_id,
        pipeline_version_reference=kfp_server_api.V2beta1PipelineVersionReference(
            pipeline_id=version.pipeline_id, pipeline_version_id=version.version_id
        ),
        runtime_config=kfp_server_api.V2beta1RuntimeConfig(parameters=dict(parameters), pipeline_root=pipeline_root),
        service_account=service_account,
    )
    try:
        return _run(api.runs.create_run(body))
    except RefusedError as error:
        if 400 <= error.status < 500:
            raise
        for run in api.every(api.runs.list_runs, "runs", experiment_id=experiment_id, filter=api.named(name)):
            if run.display_name == name:
                return _run(run)
        raise


def list_runs(api: PipelinesApi, experiment_id: str | None, limit: int) -> list[Run]:
    """The newest ones, newest first."""
    options = (
        {"experiment_id": experiment_id} if experiment_id else {"namespace": api.namespace} if api.namespace else {}
    )
    found = []
    for run in api.every(api.runs.list_runs, "runs", sort_by="created_at desc", **options):
        found.append(_run(run))
        if len(found) == limit:
            break
    return found


def get_run(api: PipelinesApi, run_id: str) -> Run:
    """One of them.

    Raises:
        RefusedError: there is none of that id.
    """
    return _run(api.runs.get_run(run_id))


def terminate_run(api: PipelinesApi, run_id: str) -> None:
    """Ends one.

    Raises:
        RefusedError: there is none of that id, or it has ended.
    """
    api.runs.terminate_run(run_id)


def wait_for_run(
    api: PipelinesApi,
    run_id: str,
    seen: Callable[[Run], None],
    limit: float | None = None,
    pause: float = 5.0,
    sleep: Callable[[float], None] = time.sleep,
) -> Run:
    """Waits until it has ended.

    Args:
        api: the server.
        run_id: of the run.
        seen: takes the run each time that it is looked at.
        limit: seconds to wait.
        pause: seconds between two looks.
        sleep: waits a number of seconds.

    Raises:
        RunError: the limit is over; the run goes on.
        RefusedError: the server refuses to say, or has been silent for a minute.
    """
    begun = answered = time.monotonic()
    while True:
        try:
            run = get_run(api, run_id)
            answered = time.monotonic()
            seen(run)
            if run.state in FINAL:
                return run
        except RefusedError as error:
            passing = error.status == 0 or error.status >= 500 or error.status == 429
            if not passing or time.monotonic() - answered > _LOST:
                raise
        if limit is not None and time.monotonic() - begun >= limit:
            fix = f"It goes on. `scalable-tf kubeflow runs wait {run_id}` waits again, `runs terminate` ends it."
            raise RunError("The run has not ended in time.", where=f"run {run_id}", received=f"{limit:g} s", fix=fix)
        sleep(pause)


def _state(given: Any) -> str:
    # Servers up to 2.17 know CANCELED, and never say it: what was terminated is FAILED in the end.
    history = [status.state for status in given.state_history or ()]
    return "CANCELED" if history[-2:] == ["CANCELING", "FAILED"] else given.state or ""


def _run(given: Any) -> Run:
    reference = given.pipeline_version_reference
    details = given.run_details.task_details if given.run_details else None
    return Run(
        run_id=str(given.run_id),
        name=given.display_name or "",
        state=_state(given),
        created=given.created_at,
        finished=happened(given.finished_at),
        experiment_id=given.experiment_id or "",
        recurring_run_id=given.recurring_run_id or "",
        version_id=(reference.pipeline_version_id if reference else given.pipeline_version_id) or "",
        parameters=dict((given.runtime_config.parameters if given.runtime_config else None) or {}),
        error=given.error.message or "" if given.error else "",
        tasks=tasks_of(details or ()),
    )
