"""`scalable-tf kubeflow task`: what the tasks of a compiled pipeline do."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runners.commands.options import Commands


def add(commands: Commands) -> None:
    """Makes the parsers."""
    parser = commands.add_parser("task", help="one task of a compiled pipeline; its containers call it")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    raise NotImplementedError
