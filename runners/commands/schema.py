"""`scalable-tf schema infer | diff | accept`: an inferred data schema becomes the curated one, under review."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from runners.commands.libraries import libraries
from runners.commands.options import add_settings, load

if TYPE_CHECKING:
    from runners.commands.options import Commands


def add(commands: Commands) -> None:
    """Makes the parsers."""
    parser = commands.add_parser("schema", help="move an inferred data schema to the curated one, under review")
    actions = parser.add_subparsers(required=True, metavar="infer|diff|accept")
    infer = actions.add_parser("infer", help="print the schema inferred by the newest run")
    add_settings(infer)
    infer.add_argument("-o", "--output", type=Path, help="write it to this file instead")
    infer.set_defaults(run=_infer)
    diff = actions.add_parser("diff", help="how the newest run's schema differs from the curated one")
    add_settings(diff)
    diff.set_defaults(run=_diff)
    accept = actions.add_parser("accept", help="take the differences into the curated schema")
    add_settings(accept)
    accept.add_argument("--feature", action="append", default=[], help="only this feature; may be repeated")
    accept.set_defaults(run=_accept)


def _infer(arguments: argparse.Namespace) -> int:
    with libraries():
        from runners import schema_command
    return schema_command.infer(load(arguments), arguments.output)


def _diff(arguments: argparse.Namespace) -> int:
    with libraries():
        from runners import schema_command
    return schema_command.diff(load(arguments))


def _accept(arguments: argparse.Namespace) -> int:
    with libraries():
        from runners import schema_command
    return schema_command.accept(load(arguments), arguments.feature)
