"""`scalable-tf clean`: removes artifacts that no kept release or run needs."""

from __future__ import annotations

import argparse
import json
import os
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from runners.commands.console import console
from runners.commands.exit_codes import EXIT_OK
from runners.commands.libraries import libraries
from runners.commands.options import add_settings, load

if TYPE_CHECKING:
    from runners.commands.options import Commands

_KEEP_RUNS = 3


def add(commands: Commands) -> None:
    """Makes the parser."""
    parser = commands.add_parser(
        "clean", help="remove artifacts that no kept release or run needs; a dry run by default"
    )
    add_settings(parser)
    parser.add_argument(
        "--keep-runs",
        type=_at_least_one,
        default=_KEEP_RUNS,
        metavar="N",
        help=f"keep everything of the newest N runs; default: {_KEEP_RUNS}",
    )
    parser.add_argument("--logs", action="store_true", help="also the logs of runs that are not kept")
    parser.add_argument("--unknown", action="store_true", help="also outputs that the metadata store does not know")
    parser.add_argument("--yes", action="store_true", help="remove; without it, only say what would be removed")
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")
    parser.set_defaults(run=_run)


def _at_least_one(value: str) -> int:
    number = int(value)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1: the newest run is what the next one finds in the cache")
    return number


def _run(arguments: argparse.Namespace) -> int:
    settings = load(arguments)
    with libraries():
        from pipeline.pipeline import root
        from runners.cleaning.folders import output_folders
        from runners.cleaning.plan import make_plan
        from runners.cleaning.plan_text import print_plan
        from runners.cleaning.removal import mark_deleted, remove_folders
        from runners.cleaning.shared_folders import SharedFolders
        from runners.cleaning.window import window_to_keep
        from runners.history.existing_store import existing_store
        from runners.kubeflow.orchestrated_run import shared_root
        from runners.output_lock import output_lock
        from runners.store_lock import store_lock
    output_dir, shared = root(settings), shared_root(settings)
    connection = existing_store(settings)
    with ExitStack() as held:
        if arguments.yes:
            # No run may start meanwhile: what its cache looks at would go.
            holder = f"scalable-tf clean, process {os.getpid()}"
            if shared is None:
                held.enter_context(output_lock(output_dir, holder))
            held.enter_context(store_lock(settings, holder))
        place = None
        if shared is not None:
            place = SharedFolders(shared, Path(held.enter_context(TemporaryDirectory(prefix="stf-clean-"))))
        folders = output_folders(output_dir) if place is None else place.folders
        with connection as metadata:
            if place is not None and arguments.yes:
                place.check_unused(metadata, settings.name)
            plan = make_plan(
                metadata,
                settings.name,
                output_dir,
                folders,
                newest=arguments.keep_runs,
                logs=arguments.logs,
                unknown=arguments.unknown,
                window=window_to_keep(settings),
                releases=None if place is None else place.releases,
                exists=os.path.lexists if place is None else place.exists,
            )
            if arguments.yes:
                mark_deleted(metadata.store, plan)
                if place is not None:
                    # Of a store without locks for all machines: what began before the mark may have looked before it.
                    place.check_unused(metadata, settings.name)
        if shared is not None:
            plan.notes.append(f"The folders are in {shared.url}, under the same names below it.")
        if arguments.yes:
            doomed = [folder.path for folder in plan.remove]
            if place is None:
                remove_folders(output_dir, doomed)
            else:
                place.end_removal()
                for path in doomed:
                    with connection as metadata:  # of a store without such locks: a run may have begun meanwhile
                        place.check_unused(metadata, settings.name)
                    place.remove([path])
    if arguments.json:
        print(json.dumps({"done": arguments.yes, **asdict(plan)}, indent=2))
    else:
        print_plan(plan, console(), done=arguments.yes)
    return EXIT_OK
