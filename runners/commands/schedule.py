"""`scalable-tf schedule plan | run | backfill | status | cronjob`: retraining on spans as they arrive."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from dataclasses import asdict
from datetime import date, datetime, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from configs.secret import check_secrets
from configs.settings import Settings
from distribution.parent_death import die_with
from runners.commands.console import console
from runners.commands.exit_codes import EXIT_ERROR, EXIT_INTERRUPTED, EXIT_NOT_BLESSED, EXIT_OK
from runners.commands.libraries import libraries
from runners.commands.options import add_settings, load
from runners.commands.run import start_command
from runners.interrupt import SIGNALS, Interrupted, interruptible
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from runners.commands.options import Commands
    from runners.schedule.decision import Plan
    from runners.schedule.scheduler import Scheduler

_LIMIT = 30


def add(commands: Commands) -> None:
    """Makes the parsers."""
    parser = commands.add_parser("schedule", help="retrain on spans of data as they arrive, or through their history")
    actions = parser.add_subparsers(required=True, metavar="plan|run|backfill|status|cronjob")
    plan = actions.add_parser("plan", help="what would be done now, and why; nothing is done")
    _add_shown(plan)
    plan.set_defaults(run=_plan)
    run = actions.add_parser("run", help="work the schedule off until stopped")
    _add_common(run)
    run.add_argument("--once", action="store_true", help="one pass now, whatever the time, with its retries; then end")
    run.set_defaults(run=_run)
    backfill = actions.add_parser("backfill", help="train on each span of a part of history, in order")
    _add_common(backfill)
    backfill.add_argument("--from", dest="first", metavar="SPAN", required=True, help="a number, or a date YYYY-MM-DD")
    backfill.add_argument("--to", dest="last", metavar="SPAN", required=True, help="likewise, included")
    backfill.add_argument("--again", action="store_true", help="also spans that a training is complete of")
    backfill.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
    backfill.set_defaults(run=_backfill)
    status = actions.add_parser("status", help="spans, their runs and releases, the next time, who is at work")
    _add_shown(status)
    status.set_defaults(run=_status)
    cronjob = actions.add_parser("cronjob", help="print a Kubernetes CronJob that works the schedule off")
    add_settings(cronjob)
    cronjob.set_defaults(run=_cronjob)
    job = actions.add_parser("job")  # for our own use: one run, told on stdin
    job.add_argument("--parent", type=int, required=True)
    job.set_defaults(run=_job, debug=False)


def _add_common(parser: argparse.ArgumentParser) -> None:
    add_settings(parser)
    parser.add_argument(
        "--now",
        metavar="TIME",
        help="for tests and trials: days, times of the schedule and lateness as if it were TIME, such as "
        "2026-11-25T06:30:00+01:00 (without a zone: UTC). Runs, logs and releases keep the machine's time",
    )


def _add_shown(parser: argparse.ArgumentParser) -> None:
    _add_common(parser)
    parser.add_argument("--limit", type=int, default=_LIMIT, metavar="N", help=f"spans to show; default: {_LIMIT}")
    parser.add_argument("--json", action="store_true", help="as JSON, for programs, with all spans")


def _plan(arguments: argparse.Namespace) -> int:
    scheduler = _scheduler(arguments)
    from runners.schedule.plan import make_plan
    from runners.schedule.plan_text import print_plan

    settings = scheduler.settings
    plan = make_plan(settings.schedule, settings.window, scheduler.look())
    if arguments.json:
        opening = plan.opening and {"trigger": plan.opening.trigger, "why": plan.opening.why}
        content = {
            "decisions": [one.to_dict() for one in plan.decisions],
            "opening": opening,
            "next_tick": plan.next_tick and plan.next_tick.isoformat(timespec="seconds"),
        }
        print(json.dumps(content, indent=2))
    else:
        place, dated = scheduler.inventory.place, scheduler.inventory.dated
        print_plan(plan, settings.schedule, console(), place=place, dated=dated, limit=max(arguments.limit, 1))
    return EXIT_OK


def _run(arguments: argparse.Namespace) -> int:
    scheduler = _scheduler(arguments)
    check_secrets(scheduler.settings, os.environ)
    from runners.schedule.daemon import at_work, run_once, serve
    from runners.schedule.plan import make_plan

    settings = scheduler.settings
    if not arguments.once and not settings.schedule.is_set:
        raise SettingsError(
            "Nothing would ever start a training.",
            where="schedule",
            fix="Set schedule.cron, such as 30 6 * * *, or one of schedule.triggers; --once makes one pass now.",
        )
    try:
        with interruptible(), at_work(scheduler):
            if arguments.once:
                plan = run_once(scheduler, partial(make_plan, settings.schedule, settings.window))
                return _report(scheduler, plan)
            scheduler.say(f"Schedule of {settings.name}: {_described(settings)}.")
            serve(scheduler)
    except Interrupted as stop:
        scheduler.say(f"Stopped by {stop}. What was not done is taken up at the next start.")
        # One that works for ever has done what it was asked to when it has ended in order.
        return stop.exit_code if arguments.once or stop.exit_code == EXIT_INTERRUPTED else EXIT_OK
    return EXIT_OK


def _backfill(arguments: argparse.Namespace) -> int:
    scheduler = _scheduler(arguments)
    from runners.schedule.backfill import Backfill
    from runners.schedule.daemon import at_work, run_once
    from runners.schedule.plan_text import decisions_table

    settings, dated = scheduler.settings, scheduler.inventory.dated
    first, last = (_span(text, dated) for text in (arguments.first, arguments.last))
    before = scheduler.look()
    way = Backfill(settings.schedule, settings.window, first, last, before.histories, arguments.again)
    plan = way.plan(before)
    if not plan.decisions:
        print(f"No span is there from {arguments.first} to {arguments.last}: {scheduler.inventory.place}")
        return EXIT_OK
    console().print(decisions_table(plan.decisions, dated))
    if arguments.dry_run:
        return EXIT_OK
    check_secrets(settings, os.environ)
    with interruptible(), at_work(scheduler):
        return _report(scheduler, run_once(scheduler, way.plan, by_hand=False))


def _status(arguments: argparse.Namespace) -> int:
    scheduler = _scheduler(arguments)
    from runners.schedule.plan import make_plan
    from runners.schedule.status import print_status, status

    settings = scheduler.settings
    situation = scheduler.look()
    found = status(settings, situation, make_plan(settings.schedule, settings.window, situation))
    if arguments.json:
        print(json.dumps(asdict(found), indent=2))
    else:
        print_status(found, settings, console(), dated=scheduler.inventory.dated, limit=max(arguments.limit, 1))
    return EXIT_OK


def _cronjob(arguments: argparse.Namespace) -> int:
    settings = load(arguments, "purpose=training")
    with libraries():
        from distribution.kubernetes.documents import as_yaml
        from runners.schedule.cron_job import cron_job
        from runners.schedule.inventory import check_spans
    check_spans(settings)
    sys.stdout.write(as_yaml(cron_job(settings, [Path(file) for file in arguments.config], arguments.set)))
    return EXIT_OK


def _job(arguments: argparse.Namespace) -> int:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # the scheduler held them back while it started this process
    die_with(arguments.parent)
    from runners.schedule.child import Order

    order = Order.read(sys.stdin)
    out = console()
    with libraries():
        from runners.report import print_errors, print_report
        from runners.schedule.scheduled_run import scheduled_run
        from runners.schedule.served_metrics import measure_served
    if order.release:
        measure_served(order.settings, order.job.run_id, Path(order.release))
        return EXIT_OK
    result = scheduled_run(order, out)
    if result.errors:
        print_errors(result, order.command, console(stderr=True))
        return EXIT_ERROR
    return EXIT_OK if print_report(result, order.settings, order.command, out) else EXIT_NOT_BLESSED


def _report(scheduler: Scheduler, plan: Plan) -> int:
    """Says how a pass has ended, and gives its exit code."""
    from runners.schedule.pass_report import pass_report

    news, inventory = scheduler.news, scheduler.inventory
    lines = pass_report(
        plan,
        scheduler.settings.schedule,
        place=inventory.place,
        dated=inventory.dated,
        made=scheduler.made,
        released=news.released,
        failures=news.failures.values(),
    )
    for line in lines:
        scheduler.say(line)
    return EXIT_ERROR if news.failures else EXIT_OK


def _scheduler(arguments: argparse.Namespace) -> Scheduler:
    """The pipeline's, with the libraries that it needs."""
    settings = load(arguments, "purpose=training")
    with libraries():
        from runners.schedule.clock import Clock
        from runners.schedule.inventory import check_spans
        from runners.schedule.scheduler import Scheduler
    check_spans(settings)
    return Scheduler(settings, Clock.parse(arguments.now), start_command(arguments), _say)


def _say(line: str) -> None:
    print(f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ} {line}", flush=True)


def _described(settings: Settings) -> str:
    schedule = settings.schedule
    given: dict[str, object] = {"cron": schedule.cron, "zone": schedule.time_zone} if schedule.cron else {}
    given |= {"catch_up": schedule.catch_up, **{f"trigger {name}": value for name, value in schedule.triggers if value}}
    return ", ".join(f"{name} {value}" for name, value in given.items())


def _span(text: str, dated: bool) -> int:
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        if dated:
            return (date.fromisoformat(text) - date(1970, 1, 1)).days
    except ValueError:
        pass
    raise SettingsError(
        "This is not a span.",
        where="--from, --to",
        received=text,
        fix="Give its number" + (", or its date as YYYY-MM-DD." if dated else "."),
    )
