"""`scalable-tf kubeflow submit`: uploads a compiled pipeline and runs it."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from runners.commands.exit_codes import EXIT_OK
from runners.commands.kubeflow.connection import add_connection, connect
from runners.commands.kubeflow.dry_run import add_parameters
from runners.commands.kubeflow.waiting import add_waiting, wait
from runners.commands.libraries import libraries

if TYPE_CHECKING:
    from runners.commands.options import Commands


def add(commands: Commands) -> None:
    """Makes the parser."""
    parser = commands.add_parser(
        "submit",
        help="upload a compiled pipeline and run it",
        description="The same content is the same version: it is uploaded once.",
    )
    parser.add_argument("file", type=Path, metavar="OUT.yaml", help="what `kubeflow compile --target kfp` wrote")
    add_parameters(parser)
    add_target(parser)
    parser.add_argument("--run-name", metavar="NAME", help="default: the pipeline's, the time and a random number")
    parser.add_argument("--upload-only", action="store_true", help="do not run it")
    parser.add_argument("--json", action="store_true", help="the result as JSON, for programs")
    add_waiting(parser, required=False)
    add_connection(parser)
    parser.set_defaults(run=_run)


def add_target(parser: argparse.ArgumentParser) -> None:
    """Adds the names that things get on the server."""
    parser.add_argument("--pipeline-name", metavar="NAME", help="on the server; default: as compiled")
    parser.add_argument("--experiment", metavar="NAME", help="default: the pipeline's name")
    parser.add_argument(
        "--pipeline-root", metavar="URI", help="of the artifacts that KFP itself keeps; default: the server's"
    )
    parser.add_argument(
        "--service-account", metavar="NAME", help="of the tasks' pods; default: as in the settings, else the server's"
    )


def _run(arguments: argparse.Namespace) -> int:
    with libraries():
        from runners.kubeflow.given_settings import check_given
        from runners.kubeflow.parameters import given_parameters, service_account
        from runners.kubeflow.service.experiments import ensure_experiment
        from runners.kubeflow.service.runs import run_name, start_run
        from runners.kubeflow.service.versions import ensure_version
        from runners.kubeflow.specification import read_specification
    specification = read_specification(arguments.file)
    parameters = given_parameters(specification, arguments.parameter)
    check_given(specification, parameters)
    api = connect(arguments)
    version = ensure_version(api, specification, arguments.pipeline_name)
    if not arguments.json:
        known = "uploaded" if version.uploaded else "already there"
        print(f"Pipeline {version.pipeline}, version {version.name}: {known}", flush=True)
    if arguments.upload_only:
        if arguments.json:
            print(json.dumps(asdict(version), indent=2))
        return EXIT_OK
    experiment = ensure_experiment(api, arguments.experiment or version.pipeline)
    name = arguments.run_name or run_name(version.pipeline)
    account = arguments.service_account or service_account(specification, parameters)
    run = start_run(api, version, experiment, name, parameters, arguments.pipeline_root, account)
    page = api.page("runs", "details", run.run_id)
    if arguments.json and not arguments.wait:
        print(json.dumps({**asdict(version), "run_id": run.run_id, "run_name": run.name, "page": page}, indent=2))
    if not arguments.json:
        print(f"Run {run.run_id} ({run.name}): {page}", flush=True)
    return wait(api, run.run_id, arguments) if arguments.wait else EXIT_OK
