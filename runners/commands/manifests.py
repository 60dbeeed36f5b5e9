"""`scalable-tf manifests`: a training as Kubernetes objects, for review, for GitOps and for operators."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from runners.commands.exit_codes import EXIT_OK
from runners.commands.options import add_settings, load

if TYPE_CHECKING:
    from runners.commands.options import Commands


def add(commands: Commands) -> None:
    """Makes the parser."""
    parser = commands.add_parser("manifests", help="print a training as Kubernetes objects, or the Role it needs")
    add_settings(parser)
    parser.add_argument("--folder", help="that the tasks share; default: training.cluster.folder, or output_dir")
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

    settings = load(arguments)
    if arguments.role is not None:
        namespace = settings.training.cluster.kubernetes.namespace or "default"
        account = arguments.role
        if account.count(":") == 1:
            account = f"system:serviceaccount:{account}"
        documents = launcher_role(namespace, account)
    else:
        folder = arguments.folder or settings.training.cluster.folder or settings.output_dir
        documents = manifests(workload_of(settings.training, os.path.join(folder, "cluster")))
    sys.stdout.write(as_yaml(documents))
    return EXIT_OK
