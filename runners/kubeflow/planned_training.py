"""The training that a run on Kubeflow is for, where nobody has named a span: what the plan of the schedule asks for."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from components.example_gen.spans import shown_span
from configs.kubeflow import DRY_RUN_VARIABLE
from configs.secret import check_secrets
from configs.settings import Settings
from pipeline.pipeline import root
from runners.bounded_log import bounded_log
from runners.job import Job
from runners.kubeflow.orchestrated_run import shared_root
from runners.schedule.clock import Clock
from runners.schedule.daemon import schedule_lock
from runners.schedule.ledger import FILE as LEDGER
from runners.schedule.plan import make_plan
from runners.schedule.scheduler import Scheduler
from runners.worker import Worker
from schemas.errors import RunError, SettingsError

_LOG = logging.getLogger(__name__)
_BY_HAND = "Or name a span: --parameter span=N."


def planned_training(settings: Settings, environment: Mapping[str, str]) -> Job:
    """The first training of the plan, as `scalable-tf schedule run --once` would make it, and as a run of its own.

    It is looked for in another process: this one forks more of them, and must not have opened the store.

    Args:
        settings: of the run, without a span.
        environment: where secrets are, and whether it is a dry run: that one closes no runs of others.

    Raises:
        SettingsError: the data cannot be told apart by span.
        RunError: nothing is to be trained on now, or something else is to be done before that.
    """
    logs = root(settings) / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    worker = Worker("plan", bounded_log(logs / "plan.log"), lambda: _look(settings, environment))
    try:
        while not worker.poll():
            time.sleep(0.005)
    finally:
        worker.stop()
    return Job(**worker.result())


def _look(settings: Settings, environment: Mapping[str, str]) -> dict[str, Any]:
    logging.basicConfig(level=logging.INFO, force=True)
    ledger = f"schedule/{LEDGER}"
    shared = shared_root(settings)
    with schedule_lock(root(settings) / "schedule"):
        if shared is not None:
            shared.bring_files({name: stat for name, stat in shared.store.list(ledger).items() if name == ledger})
        scheduler = Scheduler(settings, Clock(), "", _LOG.info)
        situation = scheduler.look(by_hand=True)
        if DRY_RUN_VARIABLE not in environment and scheduler.close_lost(tells=_can_tell(settings, environment)):
            situation = scheduler.look(by_hand=True)
        scheduler.ledger.save(scheduler.folder)  # since when spans wait for one that is missing
        if shared is not None:
            shared.take_files([ledger])
    plan = make_plan(settings.schedule, settings.window, situation)
    if not plan.jobs:
        newest = plan.decisions[-1] if plan.decisions else None
        shown = f"{newest.action} {shown_span(newest.end, situation.dated)}: {newest.why}" if newest else "no data"
        if DRY_RUN_VARIABLE in environment and settings.kubeflow.host:
            shown += "; a dry run does not ask Kubeflow: what is running by its record is taken for running"
        raise RunError(
            "No span is to be trained on now.",
            where=f"data.path: {settings.data.path}",
            received=shown,
            fix=f"scalable-tf schedule plan -c FILE says what becomes of each span. {_BY_HAND}",
        )
    job = plan.jobs[0].job
    if job is None or job.last:
        spans = ", ".join(shown_span(one.span, situation.dated) for one in plan.jobs if one.job and one.job.last)
        raise RunError(
            "Spans must be ingested first, and a run on Kubeflow is always a training.",
            where="window.spans" if settings.window.is_used else "schedule.triggers",
            received=spans,
            fix=f"scalable-tf schedule run --once -c FILE ingests them, schedule cronjob does so by time. {_BY_HAND}",
        )
    return asdict(replace(job, run_id=""))


def _can_tell(settings: Settings, environment: Mapping[str, str]) -> bool:
    """Whether the secrets of the schedule's hooks are here; else the next one who has them tells what there is."""
    try:
        check_secrets(settings.schedule, environment)
    except SettingsError as error:
        _LOG.warning("Of lost runs the schedule's hooks are told later: %s", error.what)
        return False
    return True
