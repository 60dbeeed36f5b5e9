"""`scalable-tf kubeflow runs`: the runs on the server."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from runners.commands.console import console
from runners.commands.exit_codes import EXIT_ERROR, EXIT_OK
from runners.commands.kubeflow.connection import add_connection, connect
from runners.commands.kubeflow.waiting import add_waiting, wait
from runners.commands.libraries import libraries
from schemas.errors import RunError

if TYPE_CHECKING:
    from runners.commands.options import Commands

_LIMIT = 20


def add(commands: Commands) -> None:
    """Makes the parsers."""
    parser = commands.add_parser("runs", help="list, show, wait for or end runs on the server, or read their logs")
    actions = parser.add_subparsers(required=True, metavar="list|show|wait|terminate|logs")
    every = actions.add_parser("list", help="the runs, newest first")
    every.add_argument("--experiment", metavar="NAME", help="only those of it")
    every.add_argument("--limit", type=int, default=_LIMIT, metavar="N", help=f"how many; default: {_LIMIT}")
    every.add_argument("--json", action="store_true", help="as JSON, for programs")
    add_connection(every)
    every.set_defaults(run=_list)
    show = actions.add_parser("show", help="one run and its tasks")
    _add_run(show, _show, json_too=True)
    waiting = actions.add_parser("wait", help="until a run has ended; exit code 1 if it failed")
    add_waiting(waiting, required=True)
    _add_run(waiting, _wait, json_too=True)
    terminate = actions.add_parser("terminate", help="end a run")
    _add_run(terminate, _terminate)
    logs = actions.add_parser(
        "logs", help="what the tasks have printed, or how to see it where the server has it no more"
    )
    logs.add_argument("--task", metavar="NAME", help="only of this task")
    _add_run(logs, _logs)


def _add_run(parser: argparse.ArgumentParser, run: object, *, json_too: bool = False) -> None:
    parser.add_argument("id", metavar="ID", help="of the run")
    if json_too:
        parser.add_argument("--json", action="store_true", help="as JSON, for programs")
    add_connection(parser)
    parser.set_defaults(run=run)


def _list(arguments: argparse.Namespace) -> int:
    with libraries():
        from runners.kubeflow.service.experiments import find_experiment
        from runners.kubeflow.service.runs import list_runs
        from runners.kubeflow.service.runs_text import as_json, print_runs
    api = connect(arguments)
    experiment = None
    if arguments.experiment:
        experiment = find_experiment(api, arguments.experiment)
        if experiment is None:
            fix = "`kubeflow runs list` without --experiment shows all runs."
            raise RunError("There is no such experiment.", where=api.host, received=arguments.experiment, fix=fix)
    runs = list_runs(api, experiment, max(arguments.limit, 1))
    if arguments.json:
        print(json.dumps([as_json(run) for run in runs], indent=2))
    elif runs:
        print_runs(runs, console())
    else:
        print("There are no runs yet.")
    return EXIT_OK


def _show(arguments: argparse.Namespace) -> int:
    with libraries():
        from runners.kubeflow.service.runs import get_run
        from runners.kubeflow.service.runs_text import as_json, print_run
    run = get_run(connect(arguments), arguments.id)
    if arguments.json:
        print(json.dumps(as_json(run), indent=2))
    else:
        print_run(run, console())
    return EXIT_OK


def _wait(arguments: argparse.Namespace) -> int:
    with libraries():
        api = connect(arguments)
    return wait(api, arguments.id, arguments)


def _terminate(arguments: argparse.Namespace) -> int:
    with libraries():
        from runners.kubeflow.service.runs import terminate_run
    terminate_run(connect(arguments), arguments.id)
    print(f"Run {arguments.id} is being ended.")
    return EXIT_OK


def _logs(arguments: argparse.Namespace) -> int:
    with libraries():
        from runners.kubeflow.service.refusal import RefusedError
        from runners.kubeflow.service.runs import get_run
    api = connect(arguments)
    run = get_run(api, arguments.id)
    tasks = [task for task in run.tasks if arguments.task in (None, task.name)]
    if arguments.task and not tasks:
        names = ", ".join(task.name for task in run.tasks) or "none yet"
        raise RunError(
            "The run has no such task.", where=f"run {run.run_id}", received=arguments.task, fix=f"It has: {names}"
        )
    code = EXIT_OK
    for task in tasks:
        print(f"--- {task.name} ({task.state.lower() or 'not started'})", flush=True)
        if not task.pod:
            continue
        try:
            print(api.log(run.run_id, task.pod), flush=True)
        except RefusedError as error:
            code = EXIT_ERROR
            print(f"The server does not have it: {error.received}. On the cluster:")
            print(f"  kubectl logs -n {arguments.namespace or 'kubeflow'} {task.pod} -c main")
    if not tasks:
        print(f"No task has started yet: kubectl get pods -l pipeline/runid={run.run_id}")
    return code
