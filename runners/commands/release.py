"""`scalable-tf release list | show | promote | canary | rollback | verify`: released versions, and which are served."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from runners.commands import canary
from runners.commands.console import console
from runners.commands.exit_codes import EXIT_DIFFERENT, EXIT_OK
from runners.commands.release_options import VERSION, add_move, add_store, labels_of, request_of, say, tell_models

if TYPE_CHECKING:
    from runners.commands.options import Commands


def add(commands: Commands) -> None:
    """Makes the parsers."""
    parser = commands.add_parser(
        "release", help="list released versions, and choose which one is stable and which canary"
    )
    actions = parser.add_subparsers(required=True, metavar="list|show|promote|canary|rollback|verify")

    every = actions.add_parser("list", help="the versions, newest first, with labels, metrics and blessing")
    add_store(every)
    every.add_argument("--json", action="store_true", help="as JSON, for programs")
    every.set_defaults(run=_list)

    show = actions.add_parser("show", help="one version: its record, and the history of its labels")
    show.add_argument("version", metavar="VERSION", help=VERSION)
    add_store(show)
    show.add_argument("--json", action="store_true", help="as JSON, for programs")
    show.set_defaults(run=_show)

    promote = actions.add_parser("promote", help="make a version `stable`")
    promote.add_argument("version", metavar="VERSION", help=VERSION)
    add_move(promote)
    promote.set_defaults(run=_promote)

    canary.add(actions)

    rollback = actions.add_parser("rollback", help="give `stable` back to the version that had it before")
    which = rollback.add_mutually_exclusive_group()
    which.add_argument("--to", metavar="VERSION", help=f"or to another one: {VERSION}")
    which.add_argument(
        "--canary", action="store_true", help="end the canary instead; its label goes to the stable version"
    )
    add_move(rollback)
    rollback.set_defaults(run=_rollback)

    verify = actions.add_parser("verify", help="compare the files of versions with release.json")
    verify.add_argument("version", nargs="*", metavar="VERSION", help=f"{VERSION}; default: all")
    add_store(verify)
    verify.add_argument("--json", action="store_true", help="as JSON, for programs")
    verify.set_defaults(run=_verify)


def _list(arguments: argparse.Namespace) -> int:
    labels = labels_of(arguments)
    from runners.release_view import listed, print_list

    found = listed(labels)
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        print_list(found, console())
    return EXIT_OK


def _show(arguments: argparse.Namespace) -> int:
    labels = labels_of(arguments)
    from runners.release_view import detailed, print_detail

    found = detailed(labels, arguments.version)
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        print_detail(found, console())
    return EXIT_OK


def _promote(arguments: argparse.Namespace) -> int:
    labels, request = labels_of(arguments), request_of(arguments)
    from runners.interrupt import interruptible
    from runners.release_view import find_version

    tell_models(labels, request)
    with interruptible():
        say(labels.promote(find_version(labels, arguments.version), request))
    return EXIT_OK


def _rollback(arguments: argparse.Namespace) -> int:
    labels, request = labels_of(arguments), request_of(arguments)
    from runners.interrupt import interruptible
    from runners.release_view import find_version

    tell_models(labels, request)
    with interruptible():
        if arguments.canary:
            say(labels.end_canary(request))
        else:
            say(labels.rollback(request, find_version(labels, arguments.to) if arguments.to else None))
    return EXIT_OK


def _verify(arguments: argparse.Namespace) -> int:
    labels = labels_of(arguments)
    from runners.release_view import find_version
    from serving.verification import verify

    versions = labels.store.versions()
    chosen = [find_version(labels, name) for name in arguments.version] or list(versions)
    faults = {version: verify(versions[version], version) for version in chosen}
    if arguments.json:
        print(json.dumps({version: [asdict(fault) for fault in found] for version, found in faults.items()}, indent=2))
    else:
        for version, found in faults.items():
            print(f"Version {version}: {'as it was released' if not found else 'altered'}")
            for fault in found:
                print(f"  {fault.message}")
        if not faults:
            print(f"No version of {labels.store.model} is released in {labels.store.directory}.")
    return EXIT_DIFFERENT if any(faults.values()) else EXIT_OK
