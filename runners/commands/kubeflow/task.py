"""`scalable-tf kubeflow task`: what the tasks of a compiled pipeline do."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from runners.commands.exit_codes import EXIT_OK
from runners.commands.libraries import libraries
from runners.commands.options import add_debug

if TYPE_CHECKING:
    from runners.commands.options import Commands


def add(commands: Commands) -> None:
    """Makes the parsers."""
    parser = commands.add_parser("task", help="one task of a compiled pipeline; its containers call it")
    actions = parser.add_subparsers(required=True, metavar="begin|run|end|vertex")
    begin = actions.add_parser("begin", help="compile the pipeline for a run, and open its record")
    begin.add_argument("--span", type=int, default=-1, metavar="N", help="newest span; -1: as the settings say")
    begin.add_argument("--steps", type=int, default=0, metavar="N", help="of the training; 0: as the settings say")
    begin.add_argument("--window", type=int, default=0, metavar="N", help="spans to read; 0: as the settings say")
    begin.add_argument("--compiled", default="", metavar="JSON", help="what was compiled of the settings")
    run = actions.add_parser("run", help="one node of a run that was begun")
    run.add_argument("--node", required=True, metavar="NODE", help="which one, e.g. Trainer")
    run.add_argument("--report", type=Path, metavar="FILE", help="where to write what it gave, as Markdown")
    run.add_argument("--page", type=Path, metavar="FILE", help="where to write statistics, as HTML")
    run.add_argument("--executor-input", default="", metavar="JSON", help="Kubeflow's, where metrics are shown")
    end = actions.add_parser("end", help="close a run's record, and tell the webhook")
    end.add_argument("--status", default="", metavar="JSON", help="Kubeflow's PipelineTaskFinalStatus")
    _add_vertex(actions)
    for action, work in ((begin, _begin), (run, _run), (end, _end)):
        action.add_argument("--run-id", required=True, metavar="ID", help="Kubeflow's id of the run")
        action.add_argument("--settings", required=True, metavar="JSON", help="the settings, as compile writes them")
        add_debug(action)
        action.set_defaults(run=work)


def _add_vertex(actions: Commands) -> None:
    # The options are named as TFX's runner names them.
    vertex = actions.add_parser("vertex", help="one executor on Vertex AI")
    vertex.add_argument("--executor_class_path", required=True, metavar="CLASS")
    vertex.add_argument("--json_serialized_invocation_args", required=True, metavar="JSON")
    vertex.add_argument("--json_serialized_inputs_spec_args", default="", metavar="JSON")
    vertex.add_argument("--runner", metavar="CLASS", help="Beam's")
    add_debug(vertex)
    vertex.set_defaults(run=_vertex)


def _begin(arguments: argparse.Namespace) -> int:
    from runners.kubeflow.run_parameters import RunParameters, settings_of

    settings = settings_of(
        RunParameters(arguments.settings, span=arguments.span, steps=arguments.steps, window=arguments.window)
    )
    with libraries():
        from runners.kubeflow.begin_task import begin_run
    run = begin_run(settings, arguments.run_id, os.environ, arguments.compiled)
    span = "" if run.settings.data.span is None else f" on span {run.settings.data.span}"
    print(f"Run {arguments.run_id} of {settings.name}{span} is begun. Logs: {run.path}")
    return EXIT_OK


def _run(arguments: argparse.Namespace) -> int:
    from runners.kubeflow.run_parameters import read_settings

    settings = read_settings(arguments.settings)
    with libraries():
        from runners.kubeflow.node_task import run_node_task
        from runners.kubeflow.shown_outputs import write_shown
    logging.basicConfig(level=logging.WARNING)
    outcome = run_node_task(settings, arguments.run_id, arguments.node, os.environ, sys.stderr)
    write_shown(outcome, arguments.report, arguments.page, arguments.executor_input)
    print(f"{outcome.node_id} {outcome.state}")
    for key, outputs in outcome.outputs.items():
        for output in outputs:
            print(f"  {key}: {output.uri}")
    return EXIT_OK


def _end(arguments: argparse.Namespace) -> int:
    from runners.kubeflow.run_parameters import read_settings

    settings = read_settings(arguments.settings)
    with libraries():
        from runners.kubeflow.end_task import end_run
    logging.basicConfig(level=logging.WARNING)
    outcome = end_run(settings, arguments.run_id, arguments.status, os.environ)
    failed = f": {outcome.task}: {outcome.message}" if outcome.task else ""
    print(f"Run {outcome.run_id} of {outcome.pipeline} is {outcome.outcome}{failed}")
    return EXIT_OK


def _vertex(arguments: argparse.Namespace) -> int:
    with libraries():
        from runners.kubeflow.vertex_task import run_vertex_task
    run_vertex_task(
        arguments.executor_class_path,
        arguments.json_serialized_invocation_args,
        arguments.json_serialized_inputs_spec_args,
        [f"--runner={arguments.runner}"] if arguments.runner else [],
    )
    return EXIT_OK
