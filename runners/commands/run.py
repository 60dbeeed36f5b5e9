"""`scalable-tf run`: from raw data to a released model."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from configs.secret import check_secrets, mask_passwords
from runners.commands.console import console
from runners.commands.exit_codes import EXIT_ERROR, EXIT_NOT_BLESSED, EXIT_OK
from runners.commands.libraries import libraries
from runners.commands.options import add_settings, load, option_overrides

NEWEST = ""
"""The run that --resume without a name means."""

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
    parser.add_argument(
        "--resume",
        nargs="?",
        const=NEWEST,
        metavar="RUN",
        help="continue a run that failed, was interrupted or killed, under its own id; default: the newest",
    )
    parser.add_argument(
        "--from", dest="first", metavar="NODE", default="", help="begin here, with an earlier run's outputs"
    )
    parser.add_argument("--to", dest="last", metavar="NODE", default="", help="end with this node")
    parser.add_argument(
        "--profile", action="store_true", help="find out where each node's time goes, and the training's"
    )
    parser.set_defaults(run=_run, parser=parser)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.resume is not None and (arguments.first or arguments.last):
        arguments.parser.error("--resume continues a run as it was started: leave --from and --to out")
    overrides = option_overrides(
        runner=("runner.kind", arguments.runner or None), engine=("engine.kind", arguments.engine or None)
    )
    settings = load(arguments, *overrides, "purpose=training")
    check_secrets(settings, os.environ, leave_out=("schedule", "kubeflow"))
    out = console()
    out.print(f"Pipeline {settings.name}: loading TensorFlow, TFX and Beam ...", markup=False, highlight=False)
    with libraries():
        from runners.local import run_local
        from runners.partial_run import Part
        from runners.profile_report import print_profiles
        from runners.report import print_errors, print_report
    part = Part(arguments.first, arguments.last) if arguments.first or arguments.last else None
    command = _command(arguments)
    result = run_local(
        settings,
        out,
        force_bless=arguments.force_bless,
        resume=arguments.resume,
        part=part,
        command=command,
        profile=arguments.profile,
    )
    if arguments.profile:
        print_profiles(result, out)
    if result.errors:
        print_errors(result, command, console(stderr=True))
        return EXIT_ERROR
    return EXIT_OK if print_report(result, settings, command, out) else EXIT_NOT_BLESSED


def _command(arguments: argparse.Namespace) -> str:
    """The command line of this run, for the ones that are suggested after it."""
    options = [word for file in arguments.config for word in ("-c", file)]
    options += [word for override in arguments.set for word in ("--set", override)]
    given = {"--runner": arguments.runner, "--engine": arguments.engine, "--force-bless": arguments.force_bless}
    given |= {"--from": arguments.first, "--to": arguments.last}
    options += [word for option, value in given.items() if value for word in (option, value)]
    options += ["--profile"] * arguments.profile
    return mask_passwords(shlex.join([program(), "run", *options]))


def start_command(arguments: argparse.Namespace) -> str:
    """The command line of a plain run with the same -c and --set."""
    options = [word for file in arguments.config for word in ("-c", file)]
    options += [word for override in arguments.set for word in ("--set", override)]
    return mask_passwords(shlex.join([program(), "run", *options]))


def program() -> str:
    """How this program is called from here."""
    path = Path(sys.argv[0])
    return path.name if str(path.parent) in os.get_exec_path() else os.path.relpath(path)
