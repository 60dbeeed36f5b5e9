"""`scalable-tf kubeflow compile`: the settings as a pipeline that Kubeflow Pipelines or Vertex AI takes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from runners.commands.exit_codes import EXIT_OK
from runners.commands.libraries import libraries
from runners.commands.options import add_settings, load

if TYPE_CHECKING:
    from runners.commands.options import Commands


def add(commands: Commands) -> None:
    """Makes the parser."""
    parser = commands.add_parser("compile", help="write the pipeline that is submitted")
    add_settings(parser)
    parser.add_argument("--target", choices=("kfp", "vertex"), default="kfp", help="who runs it; default: kfp")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.yaml", help="where to write it")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings = load(arguments, "purpose=training")
    with libraries():
        from runners.kubeflow.kfp_pipeline import kfp_documents
        from runners.kubeflow.package_text import package_text
    text = package_text(kfp_documents(settings), f"Pipeline {settings.name}, by scalable-tf kubeflow compile")
    arguments.output.write_text(text, encoding="utf-8")
    print(f"{arguments.output}: pipeline {settings.name} for {arguments.target}")
    return EXIT_OK
