"""`scalable-tf run`: from raw data to a released model."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from configs.secret import check_secrets
from runners.commands.console import console
from runners.commands.exit_codes import EXIT_ERROR, EXIT_NOT_BLESSED, EXIT_OK
from runners.commands.options import add_settings, load
from runners.commands.quiet import quiet

if TYPE_CHECKING:
    from runners.commands.options import Commands


def add(commands: Commands) -> None:
    """Makes the parser."""
    parser = commands.add_parser("run", help="run a pipeline: from raw data to a released model")
    add_settings(parser)
    parser.add_argument("--runner", metavar="NAME", help="who walks the graph; default: runner.kind of the settings")
    parser.add_argument(
        "--engine", metavar="NAME", help="where Beam work executes; default: engine.kind of the settings"
    )
    parser.add_argument(
        "--force-bless", metavar="REASON", default="", help="release the model whatever its metrics; recorded"
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    overrides = [
        f"{key}={value}"
        for key, value in (("runner.kind", arguments.runner), ("engine.kind", arguments.engine))
        if value
    ]
    settings = load(arguments, *overrides)
    check_secrets(settings, os.environ)
    out = console()
    out.print(f"Pipeline {settings.name}: loading TensorFlow, TFX and Beam ...", markup=False, highlight=False)
    with quiet():
        from runners.local import run_local
        from runners.report import print_errors, print_report
    result = run_local(settings, out, force_bless=arguments.force_bless)
    if result.errors:
        print_errors(result, console(stderr=True))
        return EXIT_ERROR
    return EXIT_OK if print_report(result, settings, _command(arguments), out) else EXIT_NOT_BLESSED


def _command(arguments: argparse.Namespace) -> str:
    """The command line of this run, for the ones that are suggested after it."""
    program = Path(sys.argv[0])
    name = program.name if str(program.parent) in os.get_exec_path() else os.path.relpath(program)
    options = [word for file in arguments.config for word in ("-c", file)]
    options += [word for override in arguments.set for word in ("--set", override)]
    return shlex.join([name, "run", *options])
