"""Works a schedule off: once, or for ever."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from runners.file_lock import file_lock
from runners.schedule.decision import BACKFILL, Plan
from runners.schedule.plan import make_plan, shown_time
from runners.schedule.scheduler import Planning, Scheduler
from runners.schedule.situation import Situation
from schemas.errors import RunError, ScalableTFError, SettingsError
from schemas.storage_error import storage_error

LOCK = ".lock"

_LOG = logging.getLogger(__name__)
_LONGEST_SLEEP = 60.0
_BACKWARDS = timedelta(seconds=5)


@contextlib.contextmanager
def schedule_lock(folder: Path) -> Iterator[None]:
    """Holds the lock of a schedule: one works at a time on an output_dir.

    Args:
        folder: the schedule's, in output_dir.

    Raises:
        SettingsError: output_dir cannot be written to.
        RunError: somebody else holds it.
    """
    holder = f"process {os.getpid()} on {socket.gethostname()} since {time.strftime('%Y-%m-%d %H:%M:%S')}"
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(file_lock(folder / LOCK, holder, partial(_taken, folder)))
        except OSError as error:
            raise SettingsError(
                f"output_dir cannot be written to: {error.strerror}.",
                where="output_dir",
                received=folder.parent,
                fix="Choose a folder that you may write to: --set output_dir=/some/where",
            ) from error
        yield


@contextlib.contextmanager
def at_work(scheduler: Scheduler) -> Iterator[None]:
    """Holds the lock of a schedule, whose memory is what the one that held it before has left.

    Raises:
        SettingsError: output_dir cannot be written to.
        RunError: somebody else holds it.
    """
    with schedule_lock(scheduler.folder):
        scheduler.ledger.reload(scheduler.folder)
        yield


def work_off(scheduler: Scheduler, planning: Planning, *, by_hand: bool) -> Plan:
    """Makes all runs that a plan asks for, one after the other; after each the plan is made anew.

    Args:
        scheduler: of the pipeline.
        planning: makes the plan.
        by_hand: whether a user asks for a pass, whatever the time.

    Returns:
        The plan in which nothing is left to be done now.

    Raises:
        ScalableTFError: the data or the metadata store cannot be reached, or another run holds the output_dir.
        Interrupted: a signal ended this process; the run that was made is marked and can go on later.
    """
    while True:
        try:
            situation = scheduler.look(by_hand=by_hand, at_work=True)
            if scheduler.close_lost():
                continue
            plan = planning(situation)
            if not plan.jobs:
                _remember(scheduler, situation, plan)
                scheduler.news.going_on()
                return plan
            scheduler.make(plan.jobs[0])
        except OSError as error:
            raise _refused_by_the_machine(error, scheduler.logs) from error


def run_once(scheduler: Scheduler, planning: Planning, *, by_hand: bool = True) -> Plan:
    """One pass, with the retries that it asks for. It went well where `scheduler.news.failures` has nothing.

    Args:
        scheduler: of the pipeline.
        planning: makes the plan.
        by_hand: whether it is a pass whatever the time.

    Returns:
        The plan in which nothing is left to be done now.

    Raises:
        ScalableTFError: the data or the metadata store could not be reached for as long as runs are tried again.
        Interrupted: a signal ended this process.
    """
    schedule, tries = scheduler.settings.schedule, 0
    while True:
        try:
            plan = work_off(scheduler, planning, by_hand=by_hand)
        except ScalableTFError as error:
            tries += 1
            if tries > schedule.max_retries:
                scheduler.news.held_up(_one_line(error), scheduler.clock.now())
                raise
            _pause(scheduler, schedule.backoff(tries), error)
            continue
        tries = 0
        retries = [one.due for one in plan.decisions if one.action == "wait" and one.retried and one.due]
        if not retries:
            return plan
        seconds = (min(retries) - scheduler.clock.now()).total_seconds()
        scheduler.say(f"Waiting {seconds:.0f} s for the next try.")
        time.sleep(max(0.0, seconds))


def serve(scheduler: Scheduler) -> None:
    """Works the schedule off until a signal ends this process.

    What goes wrong is said and tried again, after pauses that grow.
    """
    schedule, window = scheduler.settings.schedule, scheduler.settings.window
    planning: Planning = partial(make_plan, schedule, window)
    failures = 0
    told = ""
    if schedule.catch_up == "none":
        scheduler.remember(scheduler.clock.now())
    while True:
        _check_clock(scheduler)
        try:
            plan = work_off(scheduler, planning, by_hand=False)
        except ScalableTFError as error:
            failures += 1
            _pause(scheduler, schedule.backoff(failures), error)
            continue
        failures = 0
        wake = _wake(scheduler, plan)
        if (told_now := _next(scheduler, plan)) != told:
            told = told_now
            scheduler.say(told)
        _sleep_until(scheduler, wake)


def _remember(scheduler: Scheduler, situation: Situation, plan: Plan) -> None:
    """Writes up to when times of the schedule are worked off; not while something of the last one is waited for."""
    waits = any(one.action == "wait" and one.due is not None for one in plan.decisions)
    if not waits and (plan.opening is None or plan.opening.trigger != BACKFILL):
        scheduler.news.tell_gaps(plan)
        scheduler.remember(situation.now)


def _refused_by_the_machine(error: OSError, folder: Path) -> ScalableTFError:
    return storage_error(error, folder) or RunError(
        "A file cannot be written, or a process not be started.",
        where=str(error.filename or folder),
        received=error.strerror or error,
        fix="Check the folder, and what limits there are on files and processes (ulimit -a).",
    )


def _check_clock(scheduler: Scheduler) -> None:
    now, passed = scheduler.clock.now(), scheduler.ledger.passed
    if passed is not None and now < passed - _BACKWARDS:
        scheduler.say(f"The clock went back, from {_utc(passed)} to {_utc(now)}. Spans that are done stay done.")
        scheduler.remember(now)


def _wake(scheduler: Scheduler, plan: Plan) -> datetime:
    now, schedule = scheduler.clock.now(), scheduler.settings.schedule
    moments = [moment for moment in (plan.next_tick, plan.next_due) if moment is not None]
    if plan.watching or not moments:
        moments.append(now + timedelta(seconds=schedule.poll_seconds))
    return max(min(moments), now + timedelta(seconds=0.05))


def _next(scheduler: Scheduler, plan: Plan) -> str:
    """What is waited for, for people."""
    waiting = [one for one in plan.decisions if one.action == "wait" and one.due is not None]
    parts = [f"{scheduler.name(one.span)}: {one.why}" for one in waiting]
    if plan.next_tick is not None:
        parts.append(f"next time: {shown_time(scheduler.settings.schedule, plan.next_tick)}")
    if plan.watching:
        parts.append(f"looking for spans every {scheduler.settings.schedule.poll_seconds:g} s")
    return f"Nothing to do. {'; '.join(parts)}."


def _sleep_until(scheduler: Scheduler, wake: datetime) -> None:
    """In pieces, so that a clock that is set is noticed."""
    before = scheduler.clock.now()
    while before < wake:
        time.sleep(min((wake - before).total_seconds(), _LONGEST_SLEEP))
        now = scheduler.clock.now()
        if now < before:
            return
        before = now


def _pause(scheduler: Scheduler, seconds: float, error: ScalableTFError) -> None:
    """Waits; whoever is to hear that nothing can be done is told in the midst of it."""
    text = _one_line(error)
    scheduler.say(f"Tried again in {seconds:g} s: {text}")
    end = time.monotonic() + seconds
    until_told = scheduler.news.held_up(text, scheduler.clock.now())
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, max(until_told, 0.01)))
        until_told = scheduler.news.held_up(text, scheduler.clock.now())


def _one_line(error: ScalableTFError) -> str:
    return str(error).replace("\n", " ")


def _utc(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def _taken(folder: Path, holder: str) -> RunError:
    return RunError(
        "The schedule of this output_dir is being worked off already.",
        where=str(folder.parent),
        received=holder or None,
        fix="Stop the other one first; `scalable-tf schedule status` says what it does.",
    )
