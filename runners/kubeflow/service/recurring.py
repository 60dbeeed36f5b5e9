"""Recurring runs on the server."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runners.kubeflow.service.cron import Schedule
from schemas.errors import RunError

if TYPE_CHECKING:
    from runners.kubeflow.service.api import PipelinesApi
    from runners.kubeflow.service.versions import Version


@dataclass(frozen=True)
class RecurringRun:
    """What starts runs of a version at some times.

    Attributes:
        recurring_run_id: its id.
        name: its display name.
        enabled: whether it starts any.
        schedule: when.
        version_id: of the pipeline.
        parameters: of the runs.
        max_concurrency: runs at a time.
        catch_up: whether runs that were missed are made up for.
        experiment_id: of the runs.
        created: when it was made.
        pipeline_root: of the runs; empty: the server's.
        service_account: of the runs' pods; empty: the server's.
    """

    recurring_run_id: str
    name: str
    enabled: bool
    schedule: Schedule
    version_id: str
    parameters: Mapping[str, Any]
    max_concurrency: int
    catch_up: bool
    experiment_id: str
    created: datetime.datetime | None
    pipeline_root: str = ""
    service_account: str = ""


@dataclass(frozen=True)
class Wanted:
    """A recurring run that there should be; attributes as those of RecurringRun."""

    name: str
    version: Version
    experiment_id: str
    schedule: Schedule
    parameters: Mapping[str, Any]
    max_concurrency: int = 1
    catch_up: bool = False
    enabled: bool = True
    pipeline_root: str = ""
    service_account: str = ""

    def is_met_by(self, found: RecurringRun) -> bool:
        """Whether one that is there does the same; whether it is enabled does not count."""
        return (
            found.version_id == self.version.version_id
            and found.schedule == self.schedule
            and dict(found.parameters) == dict(self.parameters)
            and found.max_concurrency == self.max_concurrency
            and found.catch_up == self.catch_up
            # The server fills in its own where these are empty.
            and self.pipeline_root in ("", found.pipeline_root)
            and self.service_account in ("", found.service_account)
        )


def ensure_recurring_run(api: PipelinesApi, wanted: Wanted, replace: bool = False) -> tuple[RecurringRun, bool]:
    """The recurring run of that name in its experiment, made where it is not there yet.

    The server cannot change one. The new one is made before the old one is deleted: should this end in between, then
    both are there, and the same call once more mends it.

    Args:
        api: the server.
        wanted: what there should be.
        replace: puts it in the place of another one of its name.

    Returns:
        What is there now, and whether it was made just now.

    Raises:
        RunError: there is another one of its name.
        RefusedError: the server does not make it.
    """
    same_name = find_recurring_runs(api, wanted.name, wanted.experiment_id)
    matching = [found for found in same_name if wanted.is_met_by(found)]
    others = [found for found in same_name if found not in matching[:1]]
    if others and not replace:
        fix = "Take another --name, or put this one in its place with --replace."
        raise RunError("There is another recurring run of this name.", received=wanted.name, fix=fix)
    kept = matching[0] if matching else None
    if kept is not None and kept.enabled != wanted.enabled:
        set_enabled(api, kept.recurring_run_id, wanted.enabled)
        kept = get_recurring_run(api, kept.recurring_run_id)
    made = kept or _recurring_run(api.recurring.create_recurring_run(_body(wanted)))
    for other in others:
        delete_recurring_run(api, other.recurring_run_id)
    return made, kept is None


def list_recurring_runs(api: PipelinesApi, experiment_id: str | None = None) -> list[RecurringRun]:
    """All, newest first."""
    options = (
        {"experiment_id": experiment_id} if experiment_id else {"namespace": api.namespace} if api.namespace else {}
    )
    call = api.recurring.list_recurring_runs
    return [_recurring_run(found) for found in api.every(call, "recurring_runs", sort_by="created_at desc", **options)]


def find_recurring_runs(api: PipelinesApi, name: str, experiment_id: str | None = None) -> list[RecurringRun]:
    """Those of a name."""
    options = (
        {"experiment_id": experiment_id} if experiment_id else {"namespace": api.namespace} if api.namespace else {}
    )
    call = api.recurring.list_recurring_runs
    every = api.every(call, "recurring_runs", filter=api.named(name), **options)
    return [_recurring_run(found) for found in every if found.display_name == name]


def one_recurring_run(api: PipelinesApi, name_or_id: str) -> RecurringRun:
    """The one of that name or id.

    Raises:
        RunError: several have that name.
        RefusedError: there is none.
    """
    found = find_recurring_runs(api, name_or_id)
    if len(found) > 1:
        ids = ", ".join(one.recurring_run_id for one in found)
        raise RunError("Several recurring runs have this name.", received=name_or_id, fix=f"Give the id of one: {ids}")
    return found[0] if found else get_recurring_run(api, name_or_id)


def get_recurring_run(api: PipelinesApi, recurring_run_id: str) -> RecurringRun:
    """The one of that id.

    Raises:
        RefusedError: there is none.
    """
    return _recurring_run(api.recurring.get_recurring_run(recurring_run_id))


def set_enabled(api: PipelinesApi, recurring_run_id: str, enabled: bool) -> None:
    """Lets it start runs, or holds it.

    Raises:
        RefusedError: there is none of that id.
    """
    call = api.recurring.enable_recurring_run if enabled else api.recurring.disable_recurring_run
    call(recurring_run_id)


def delete_recurring_run(api: PipelinesApi, recurring_run_id: str) -> None:
    """Deletes it; the runs that it has started stay.

    Raises:
        RefusedError: there is none of that id.
    """
    api.recurring.delete_recurring_run(recurring_run_id)


def _body(wanted: Wanted) -> Any:
    import kfp_server_api

    modes = kfp_server_api.RecurringRunMode
    return kfp_server_api.V2beta1RecurringRun(
        display_name=wanted.name,
        pipeline_version_reference=kfp_server_api.V2beta1PipelineVersionReference(
            pipeline_id=wanted.version.pipeline_id, pipeline_version_id=wanted.version.version_id
        ),
        runtime_config=kfp_server_api.V2beta1RuntimeConfig(
            parameters=dict(wanted.parameters), pipeline_root=wanted.pipeline_root or None
        ),
        service_account=wanted.service_account or None,
        max_concurrency=str(wanted.max_concurrency),
        trigger=wanted.schedule.trigger(),
        mode=modes.ENABLE if wanted.enabled else modes.DISABLE,
        no_catchup=not wanted.catch_up,
        experiment_id=wanted.experiment_id,
    )


def _recurring_run(given: Any) -> RecurringRun:
    trigger, config = given.trigger, given.runtime_config
    cron = trigger.cron_schedule if trigger else None
    every = trigger.periodic_schedule if trigger else None
    schedule = Schedule()
    if cron is not None:
        schedule = Schedule(cron.cron or "", 0, cron.start_time, cron.end_time)
    elif every is not None:
        schedule = Schedule("", int(every.interval_second or 0), every.start_time, every.end_time)
    reference = given.pipeline_version_reference
    return RecurringRun(
        recurring_run_id=str(given.recurring_run_id),
        name=given.display_name or "",
        enabled=given.status == "ENABLED",
        schedule=schedule,
        version_id=(reference.pipeline_version_id if reference else given.pipeline_version_id) or "",
        parameters=dict((config.parameters if config else None) or {}),
        max_concurrency=int(given.max_concurrency or 1),
        catch_up=not given.no_catchup,
        experiment_id=given.experiment_id or "",
        created=given.created_at,
        pipeline_root=(config.pipeline_root if config else None) or "",
        service_account=given.service_account or "",
    )
