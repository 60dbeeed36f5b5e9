"""`scalable-tf kubeflow check`: what would keep a pipeline from running there, each with its remedy."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from runners.commands.options import add_settings

if TYPE_CHECKING:
    from runners.commands.options import Commands


def add(commands: Commands) -> None:
    """Makes the parser."""
    parser = commands.add_parser("check", help="say what would keep the pipeline from running")
    add_settings(parser)
    parser.add_argument("--target", choices=("kfp", "vertex"), default="kfp", help="who runs it; default: kfp")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    raise NotImplementedError
