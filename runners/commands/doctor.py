"""`scalable-tf doctor`: what on this machine would stop a run."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, get_args

from configs.engine import EngineKind
from runners.commands.options import add_settings, load, option_overrides

if TYPE_CHECKING:
    from runners.commands.options import Commands


def add(commands: Commands) -> None:
    """Makes the parser."""
    parser = commands.add_parser("doctor", help="check this machine and, with -c, the settings' store and folders")
    add_settings(parser, required=False)
    parser.add_argument("--engine", metavar="NAME", help="try two rows on this engine; default: engine.kind")
    parser.set_defaults(run=_run, parser=parser)


def _run(arguments: argparse.Namespace) -> int:
    from runners.doctor import report, run_checks

    overrides = option_overrides(engine=("engine.kind", arguments.engine or None))
    settings = load(arguments, *overrides) if arguments.config else None
    if settings is None and arguments.engine is not None and arguments.engine not in get_args(EngineKind):
        arguments.parser.error(f"--engine {arguments.engine}: there are {', '.join(get_args(EngineKind))}")
    return report(run_checks(settings, arguments.engine))
