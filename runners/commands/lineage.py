"""`scalable-tf lineage`: what made a release."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from runners.commands.console import console
from runners.commands.exit_codes import EXIT_DIFFERENT, EXIT_OK
from runners.commands.libraries import libraries
from runners.commands.options import add_settings, load

if TYPE_CHECKING:
    from runners.commands.options import Commands


def add(commands: Commands) -> None:
    """Makes the parser."""
    parser = commands.add_parser("lineage", help="which data, code, settings, schema and runs made a release")
    parser.add_argument("release", metavar="RELEASE", help="a version, `latest`, or the folder of a version")
    add_settings(parser)
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings = load(arguments)
    with libraries():
        from pipeline.find_release import find_release
        from runners.history.lineage import release_lineage
        from runners.history.lineage_text import print_lineage
    lineage = release_lineage(settings, find_release(settings, arguments.release))
    if arguments.json:
        print(json.dumps(asdict(lineage), indent=2))
    else:
        print_lineage(lineage, console())
    return EXIT_DIFFERENT if any(check.outcome == "differs" for check in lineage.checks) else EXIT_OK
