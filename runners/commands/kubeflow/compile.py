"""`scalable-tf kubeflow compile`: the settings as a pipeline that Kubeflow Pipelines or Vertex AI takes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from runners.commands.exit_codes import EXIT_OK
from runners.commands.kubeflow.target import add_target
from runners.commands.libraries import libraries
from runners.commands.options import add_settings, load
from schemas.errors import SettingsError
from schemas.storage_error import storage_error

if TYPE_CHECKING:
    from runners.commands.options import Commands


def add(commands: Commands) -> None:
    """Makes the parser."""
    parser = commands.add_parser("compile", help="write the pipeline that is submitted")
    add_settings(parser)
    add_target(parser)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.yaml", help="where to write it")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings = load(arguments, "purpose=training")
    with libraries():
        from runners.kubeflow.finding import refuse_errors
        from runners.kubeflow.package import checked_package
    findings, text = checked_package(settings, arguments.target)
    refuse_errors(findings)
    for finding in findings:
        print(finding, file=sys.stderr)
    _write(arguments.output, text)
    print(f"{arguments.output}: the pipeline {settings.name} for {arguments.target}")
    return EXIT_OK


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise storage_error(error, file.parent) or SettingsError(
            f"The package cannot be written: {error.strerror}.",
            where="--output",
            received=file,
            fix="Give a file in a folder that you may write to.",
        ) from error
