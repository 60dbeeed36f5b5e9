"""`scalable-tf infer`: predictions of the blessed model for new rows."""

from __future__ import annotations

import argparse
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from configs.secret import check_secrets, mask_passwords
from runners.commands.console import console
from runners.commands.exit_codes import EXIT_ERROR, EXIT_OK
from runners.commands.libraries import libraries
from runners.commands.options import add_settings, load, option_overrides
from runners.commands.run import NEWEST, program

if TYPE_CHECKING:
    from runners.commands.options import Commands


def add(commands: Commands) -> None:
    """Makes the parser."""
    parser = commands.add_parser("infer", help="predict for new rows with the blessed model")
    add_settings(parser)
    parser.add_argument("--span", type=int, metavar="N", help="the span to predict for; default: the newest")
    parser.add_argument(
        "--out", metavar="DIR", help="folder of the predictions; default: <output_dir>/predictions/<span or name>"
    )
    parser.add_argument("--format", metavar="NAME", help="of the files; default: inference.format of the settings")
    parser.add_argument("--runner", metavar="NAME", help="who walks the graph; default: runner.kind of the settings")
    parser.add_argument(
        "--engine", metavar="NAME", help="where Beam work executes; default: engine.kind of the settings"
    )
    parser.add_argument(
        "--resume",
        nargs="?",
        const=NEWEST,
        metavar="RUN",
        help="continue a run that failed, was interrupted or killed, under its own id; default: the newest",
    )
    parser.add_argument("--profile", action="store_true", help="find out where each node's time goes")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    overrides = option_overrides(
        runner=("runner.kind", arguments.runner),
        engine=("engine.kind", arguments.engine),
        span=("inference.span", arguments.span),
        format=("inference.format", arguments.format),
    )
    settings = load(arguments, *overrides, "purpose=inference")
    check_secrets(settings, os.environ, leave_out=("schedule", "kubeflow"))
    out = console()
    out.print(f"Pipeline {settings.name}: loading TensorFlow, TFX and Beam ...", markup=False, highlight=False)
    with libraries():
        from runners.inference_report import predictions, predictions_target, print_inference
        from runners.local import run_local
        from runners.predictions_folder import hand_over
        from runners.profile_report import print_profiles
        from runners.report import print_errors
    command = _command(arguments)
    result = run_local(settings, out, resume=arguments.resume, command=command, profile=arguments.profile)
    if arguments.profile:
        print_profiles(result, out)
    if result.errors:
        print_errors(result, command, console(stderr=True))
        return EXIT_ERROR
    target = Path(arguments.out).absolute() if arguments.out else predictions_target(result, settings)
    hand_over(predictions(result), target)
    print_inference(result, target, out)
    return EXIT_OK


def _command(arguments: argparse.Namespace) -> str:
    """The command line of this run, for the ones that are suggested after it."""
    options = [word for file in arguments.config for word in ("-c", file)]
    options += [word for override in arguments.set for word in ("--set", override)]
    given = {"--span": arguments.span, "--out": arguments.out, "--format": arguments.format}
    given |= {"--runner": arguments.runner, "--engine": arguments.engine}
    options += [word for option, value in given.items() if value is not None for word in (option, str(value))]
    options += ["--profile"] * arguments.profile
    return mask_passwords(shlex.join([program(), "infer", *options]))
