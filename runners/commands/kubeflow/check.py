"""`scalable-tf kubeflow check`: what would keep a pipeline from running there, each with its remedy."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from runners.commands.exit_codes import EXIT_ERROR, EXIT_OK
from runners.commands.kubeflow.target import add_target
from runners.commands.libraries import libraries
from runners.commands.options import add_settings, load
from schemas.counted import counted

if TYPE_CHECKING:
    from runners.commands.options import Commands


def add(commands: Commands) -> None:
    """Makes the parser."""
    parser = commands.add_parser("check", help="say what would keep the pipeline from running")
    add_settings(parser)
    add_target(parser)
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings = load(arguments, "purpose=training")
    with libraries():
        from runners.kubeflow.package import checked_package
    findings, _ = checked_package(settings, arguments.target)
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            print(f"{finding}\n")
        errors = sum(finding.severity == "error" for finding in findings)
        numbers = f"{counted(errors, 'error')}, {counted(len(findings) - errors, 'warning')}"
        print(f"{settings.name} for {arguments.target}: {numbers}.")
    return EXIT_ERROR if any(finding.severity == "error" for finding in findings) else EXIT_OK
