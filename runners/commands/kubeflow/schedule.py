"""`scalable-tf kubeflow schedule`: recurring runs on the server."""

from __future__ import annotations

import argparse
import datetime
import json
from pathlib import Path
from typing import TYPE_CHECKING

from runners.commands.console import console
from runners.commands.exit_codes import EXIT_OK
from runners.commands.kubeflow.connection import add_connection, connect
from runners.commands.kubeflow.dry_run import add_parameters
from runners.commands.kubeflow.submit import add_target
from runners.commands.libraries import libraries
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from runners.commands.options import Commands
    from runners.kubeflow.service.cron import Schedule

_MOST = 10  # runs at a time that the server takes


def add(commands: Commands) -> None:
    """Makes the parsers."""
    parser = commands.add_parser(
        "schedule", help="run a compiled pipeline again and again: recurring runs on the server"
    )
    actions = parser.add_subparsers(required=True, metavar="create|list|show|enable|disable|delete")
    create = actions.add_parser(
        "create",
        help="make a recurring run",
        description="The same call once more changes nothing: the same content is the same version, and a recurring "
        "run of the same name that does the same is left as it is.",
    )
    create.add_argument("file", type=Path, metavar="OUT.yaml", help="what `kubeflow compile --target kfp` wrote")
    create.add_argument("--name", metavar="NAME", help="of the recurring run; default: the pipeline's")
    when = create.add_mutually_exclusive_group(required=True)
    when.add_argument(
        "--cron", metavar="EXPRESSION", help='in UTC, e.g. "0 3 * * *"; or six fields, with seconds first'
    )
    when.add_argument("--every", metavar="TIME", help="interval: seconds, or as 30m, 12h, 1d")
    create.add_argument(
        "--start", metavar="TIME", help="not before, e.g. 2027-01-31T03:00 (UTC unless it says otherwise)"
    )
    create.add_argument("--end", metavar="TIME", help="not after")
    create.add_argument("--catch-up", action="store_true", help="make up for runs that were missed; default: do not")
    create.add_argument("--max-concurrency", type=int, default=1, metavar="N", help="runs at a time; default: 1")
    create.add_argument("--disabled", action="store_true", help="make it, but let it start nothing yet")
    create.add_argument("--replace", action="store_true", help="in the place of another one of its name")
    add_parameters(create)
    add_target(create)
    create.add_argument("--json", action="store_true", help="the result as JSON, for programs")
    add_connection(create)
    create.set_defaults(run=_create)
    every = actions.add_parser("list", help="all, newest first")
    every.add_argument("--json", action="store_true", help="as JSON, for programs")
    add_connection(every)
    every.set_defaults(run=_list)
    for name, text in (
        ("show", "one, with the next times"),
        ("enable", "let it start runs again"),
        ("disable", "let it start no more runs"),
        ("delete", "delete it; the runs that it has started stay"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("name", metavar="NAME", help="of the recurring run, or its id")
        add_connection(action)
        action.set_defaults(run=_one, action=name)


def _create(arguments: argparse.Namespace) -> int:
    schedule = _schedule(arguments)
    if not 1 <= arguments.max_concurrency <= _MOST:
        fix = f"Give 1 to {_MOST}."
        raise SettingsError(
            "The server does not take it.", where="--max-concurrency", received=arguments.max_concurrency, fix=fix
        )
    with libraries():
        from runners.kubeflow.given_settings import check_given
        from runners.kubeflow.parameters import given_parameters, service_account
        from runners.kubeflow.service.experiments import ensure_experiment
        from runners.kubeflow.service.recurring import Wanted, ensure_recurring_run
        from runners.kubeflow.service.runs_text import as_json
        from runners.kubeflow.service.versions import ensure_version
        from runners.kubeflow.specification import read_specification
    specification = read_specification(arguments.file)
    parameters = given_parameters(specification, arguments.parameter)
    check_given(specification, parameters)
    api = connect(arguments)
    version = ensure_version(api, specification, arguments.pipeline_name)
    wanted = Wanted(
        name=arguments.name or version.pipeline,
        version=version,
        experiment_id=ensure_experiment(api, arguments.experiment or version.pipeline),
        schedule=schedule,
        parameters=parameters,
        max_concurrency=arguments.max_concurrency,
        catch_up=arguments.catch_up,
        enabled=not arguments.disabled,
        pipeline_root=arguments.pipeline_root or "",
        service_account=arguments.service_account or service_account(specification, parameters) or "",
    )
    found, made = ensure_recurring_run(api, wanted, arguments.replace)
    if arguments.json:
        print(json.dumps({**as_json(found), "made": made}, indent=2))
        return EXIT_OK
    known = "made" if made else "there already, unchanged"
    print(f"Recurring run {found.recurring_run_id} ({found.name}), {found.schedule}: {known}")
    _print_next(found.schedule, enabled=found.enabled)
    return EXIT_OK


def _list(arguments: argparse.Namespace) -> int:
    with libraries():
        from runners.kubeflow.service.recurring import list_recurring_runs
        from runners.kubeflow.service.runs_text import as_json, print_recurring_runs
    found = list_recurring_runs(connect(arguments))
    if arguments.json:
        print(json.dumps([as_json(one) for one in found], indent=2))
    elif found:
        print_recurring_runs(found, console())
    else:
        print("There are no recurring runs yet.")
    return EXIT_OK


def _one(arguments: argparse.Namespace) -> int:
    with libraries():
        from runners.kubeflow.service.recurring import delete_recurring_run, one_recurring_run, set_enabled
        from runners.kubeflow.service.runs_text import as_json
    api = connect(arguments)
    found = one_recurring_run(api, arguments.name)
    if arguments.action == "show":
        print(json.dumps(as_json(found), indent=2))
        return EXIT_OK
    if arguments.action == "delete":
        delete_recurring_run(api, found.recurring_run_id)
    else:
        set_enabled(api, found.recurring_run_id, arguments.action == "enable")
    print(f"Recurring run {found.recurring_run_id} ({found.name}) is {arguments.action}d.")
    return EXIT_OK


def _schedule(arguments: argparse.Namespace) -> Schedule:
    from runners.kubeflow.service.cron import Schedule, interval_seconds, kfp_cron, moment

    start = moment(arguments.start, "--start") if arguments.start else None
    end = moment(arguments.end, "--end") if arguments.end else None
    if end is not None and end <= max(start or end, datetime.datetime.now(datetime.timezone.utc)):
        received = f"{end:%Y-%m-%dT%H:%M}"
        raise SettingsError(
            "The end is over before anything starts.", where="--end", received=received, fix="Give a later one."
        )
    if arguments.cron:
        return Schedule(kfp_cron(arguments.cron), 0, start, end)
    return Schedule("", interval_seconds(arguments.every), start, end)


def _print_next(schedule: Schedule, *, enabled: bool) -> None:
    moments = schedule.next_starts(datetime.datetime.now(datetime.timezone.utc), 3) if enabled else []
    if moments:
        print(f"Next runs (UTC): {', '.join(f'{moment:%Y-%m-%d %H:%M:%S}' for moment in moments)}")
