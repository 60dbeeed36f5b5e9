"""`scalable-tf kubeflow compile`: the settings as a pipeline that Kubeflow Pipelines or Vertex AI takes."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from runners.commands.options import add_settings

if TYPE_CHECKING:
    from runners.commands.options import Commands


def add(commands: Commands) -> None:
    """Makes the parser."""
    parser = commands.add_parser("compile", help="write the pipeline that is submitted")
    add_settings(parser)
    parser.add_argument("--target", choices=("kfp", "vertex"), default="kfp", help="who runs it; default: kfp")
    parser.add_argument("-o", "--output", required=True, metavar="OUT.yaml", help="where to write it")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    raise NotImplementedError
