"""Waiting for a run, with what its tasks do meanwhile."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from runners.commands.console import console
from runners.commands.exit_codes import EXIT_ERROR, EXIT_OK

if TYPE_CHECKING:
    from runners.kubeflow.service.api import PipelinesApi


def add_waiting(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """Adds the options.

    Args:
        parser: of the command.
        required: whether the command waits anyway; else there is --wait.
    """
    if not required:
        parser.add_argument("--wait", action="store_true", help="until the run has ended; exit code 1 if it failed")
    parser.add_argument(
        "--wait-timeout", type=float, metavar="SECONDS", help="then stop waiting, exit code 1; the run goes on"
    )
    parser.add_argument("--poll", type=float, default=5.0, metavar="SECONDS", help="between two looks; default: 5")


def wait(api: PipelinesApi, run_id: str, arguments: argparse.Namespace) -> int:
    """Waits, prints each change of a task's state, and at the end the run; gives the exit code."""
    from runners.interrupt import interruptible
    from runners.kubeflow.service.runs import Run, wait_for_run
    from runners.kubeflow.service.runs_text import as_json, print_run, state_text

    screen = console(stderr=arguments.json)
    states: dict[str, str] = {}

    def seen(run: Run) -> None:
        for task in run.tasks:
            if task.state and states.get(task.name) != task.state:
                states[task.name] = task.state
                screen.print(task.name, state_text(task.state))

    with interruptible():
        run = wait_for_run(api, run_id, seen, arguments.wait_timeout, max(arguments.poll, 0.05))
    if arguments.json:
        print(json.dumps(as_json(run), indent=2))
    else:
        print_run(run, screen)
    return EXIT_OK if run.state == "SUCCEEDED" else EXIT_ERROR
