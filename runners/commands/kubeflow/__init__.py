"""`scalable-tf kubeflow`: pipelines on Kubeflow Pipelines and Vertex AI; a module for each of its commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runners.commands.kubeflow import check, compile, dry_run, runs, schedule, submit, task

if TYPE_CHECKING:
    from runners.commands.options import Commands

COMMANDS = (compile, check, dry_run, submit, schedule, runs, task)


def add(commands: Commands) -> None:
    """Makes the parsers."""
    parser = commands.add_parser("kubeflow", help="compile, check and run pipelines on Kubeflow Pipelines or Vertex AI")
    actions = parser.add_subparsers(required=True, metavar="|".join(_name(command) for command in COMMANDS))
    for command in COMMANDS:
        command.add(actions)


def _name(command: object) -> str:
    return str(getattr(command, "__name__", "")).rpartition(".")[2].replace("_", "-")
