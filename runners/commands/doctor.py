"""`scalable-tf doctor`: what on this machine would stop a run."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from runners.commands.options import add_settings, load

if TYPE_CHECKING:
    from runners.commands.options import Commands


def add(commands: Commands) -> None:
    """Makes the parser."""
    parser = commands.add_parser("doctor", help="check this machine and, with -c, the settings' store and folders")
    add_settings(parser, required=False)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from runners.doctor import report, run_checks

    return report(run_checks(load(arguments) if arguments.config else None))
