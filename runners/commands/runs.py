"""`scalable-tf runs list | show`: what ML Metadata says of a pipeline's runs."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from runners.commands.console import console
from runners.commands.exit_codes import EXIT_OK
from runners.commands.libraries import libraries
from runners.commands.options import add_settings, load

if TYPE_CHECKING:
    from runners.commands.options import Commands

_LIMIT = 20


def add(commands: Commands) -> None:
    """Makes the parsers."""
    parser = commands.add_parser("runs", help="list a pipeline's runs, or show one of them")
    actions = parser.add_subparsers(required=True, metavar="list|show")
    every = actions.add_parser("list", help="the runs, newest first")
    add_settings(every)
    every.add_argument("--limit", type=int, default=_LIMIT, metavar="N", help=f"how many; default: {_LIMIT}")
    every.add_argument("--json", action="store_true", help="as JSON, for programs")
    every.set_defaults(run=_list)
    show = actions.add_parser("show", help="one run: its nodes, what they read and made, errors, logs")
    show.add_argument("id", metavar="ID", help="the run's id, the beginning of it, or `latest`")
    add_settings(show)
    show.add_argument("--json", action="store_true", help="as JSON, for programs")
    show.set_defaults(run=_show)


def _list(arguments: argparse.Namespace) -> int:
    settings = load(arguments)
    with libraries():
        from runners.history.existing_store import existing_store
        from runners.history.runs import run_summaries
        from runners.history.runs_text import print_runs
        from runners.run_record import run_records
    with existing_store(settings) as metadata:
        records = run_records(metadata, settings.name)
        runs = run_summaries(metadata, records, max(arguments.limit, 1))
    if arguments.json:
        print(json.dumps([asdict(run) for run in runs], indent=2))
    elif runs:
        print_runs(runs, len(records), console())
    else:
        print(f"Pipeline {settings.name} has no runs yet.")
    return EXIT_OK


def _show(arguments: argparse.Namespace) -> int:
    settings = load(arguments)
    with libraries():
        from runners.history.existing_store import existing_store
        from runners.history.find_run import find_run
        from runners.history.run_detail import run_detail
        from runners.history.runs_text import print_run
        from runners.run_record import run_records
    connection = existing_store(settings)
    with connection as metadata:
        records = run_records(metadata, settings.name)
    detail = run_detail(connection, records, find_run(records, arguments.id, settings.name))
    if arguments.json:
        print(json.dumps(asdict(detail), indent=2))
    else:
        print_run(detail, console())
    return EXIT_OK
