"""`scalable-tf manifests`: a training as Kubernetes objects, for review, for GitOps and for operators."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from runners.commands.exit_codes import EXIT_OK
from runners.commands.options import add_settings, load
from schemas.errors import TrainingError

if TYPE_CHECKING:
    from configs.training import Training
    from runners.commands.options import Commands


def add(commands: Commands) -> None:
    """Makes the parser."""
    parser = commands.add_parser("manifests", help="print a training as Kubernetes objects, or the Role it needs")
    add_settings(parser)
    parser.add_argument(
        "--folder",
        help="that the tasks share; default: training.cluster.folder. Without that, the launcher takes one of the "
        "execution, which is not known before it: one of the two must be given",
    )
    parser.add_argument(
        "--role",
        metavar="ACCOUNT",
        help="print instead what an administrator applies, so that the service account NAMESPACE:NAME, or a user, may "
        "launch trainings",
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from distribution.kubernetes.documents import as_yaml
    from distribution.kubernetes.manifests import manifests
    from distribution.kubernetes.permissions import launcher_role
    from distribution.kubernetes.training_workload import workload_of
    from distribution.strategies.auto import resolve

    settings = load(arguments)
    if arguments.role is not None:
        namespace = settings.training.cluster.kubernetes.namespace or "default"
        account = arguments.role
        if account.count(":") == 1:
            account = f"system:serviceaccount:{account}"
        documents = launcher_role(namespace, account)
    else:
        training = _of_several(resolve(settings.training), settings.training.strategy)
        folder = _shared(arguments.folder or training.cluster.folder)
        documents = manifests(workload_of(training, os.path.join(folder, "cluster")))
    sys.stdout.write(as_yaml(documents))
    return EXIT_OK


def _of_several(training: Training, asked: str) -> Training:
    from distribution.strategies.registry import CLUSTERED

    if training.strategy not in CLUSTERED:
        raise TrainingError(
            "This training is one process, in the Trainer node itself: there is nothing to apply.",
            where="training.strategy",
            received=asked if asked == training.strategy else f"{asked}, which is {training.strategy} here",
            fix=f"Set it to one of {', '.join(CLUSTERED)}; or, with auto, set training.cluster.workers or ps.",
        )
    return training


def _shared(folder: str | None) -> str:
    if not folder:
        raise TrainingError(
            "The folder that the tasks share is not known: by default it is one of the execution.",
            where="training.cluster.folder",
            fix="Set it, so that what is printed is what the launcher applies; or pass --folder.",
        )
    return folder
