"""The options that say which API server, and as whom; what is secret comes from the environment or from files."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from runners.commands.options import add_debug
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from runners.kubeflow.service.api import PipelinesApi

HOST_VARIABLE = "KF_PIPELINES_ENDPOINT"
"""As in kfp."""
_NAMESPACE_VARIABLE = "KF_PIPELINES_NAMESPACE"


def add_connection(parser: argparse.ArgumentParser) -> None:
    """Adds --host and what belongs to it, and --debug."""
    group = parser.add_argument_group("the API server")
    group.add_argument("--host", metavar="URL", help=f"of Kubeflow Pipelines; default: the variable {HOST_VARIABLE}")
    group.add_argument(
        "--namespace", metavar="NAME", help=f"yours, on a server with several users; default: {_NAMESPACE_VARIABLE}"
    )
    group.add_argument(
        "--existing-token-file",
        type=Path,
        metavar="FILE",
        help="file with a bearer token; default: the variable KF_PIPELINES_TOKEN, or in a pod the token that is there",
    )
    group.add_argument(
        "--cookie-file",
        type=Path,
        metavar="FILE",
        help="file with the cookie of a login, as authservice_session=...; default: the variable KF_PIPELINES_COOKIE",
    )
    group.add_argument("--ca-file", type=Path, metavar="FILE", help="PEM file with the authorities to trust for TLS")
    group.add_argument(
        "--request-timeout", type=float, default=60.0, metavar="SECONDS", help="for each answer; default: 60"
    )
    add_debug(parser)


def connect(arguments: argparse.Namespace) -> PipelinesApi:
    """The server, once it has answered.

    Raises:
        SettingsError: an option is wrong.
        RunError: it does not answer.
    """
    from runners.kubeflow.service.api import PipelinesApi
    from runners.kubeflow.service.credential import find_credential
    from runners.kubeflow.service.transport import Patience

    host = arguments.host or os.environ.get(HOST_VARIABLE)
    if not host:
        forward = "kubectl port-forward -n kubeflow svc/ml-pipeline 8888"
        fix = f"Give --host URL, or set {HOST_VARIABLE}; http://localhost:8888 while `{forward}` runs."
        raise SettingsError("The API server is not named.", where="--host", fix=fix)
    if arguments.request_timeout <= 0:
        fix = "Give seconds, above 0."
        raise SettingsError("It is no time.", where="--request-timeout", received=arguments.request_timeout, fix=fix)
    ca_file = arguments.ca_file or os.environ.get("SSL_CERT_FILE") or os.environ.get("REQUESTS_CA_BUNDLE")
    api = PipelinesApi(
        host,
        arguments.namespace or os.environ.get(_NAMESPACE_VARIABLE, ""),
        find_credential(os.environ, arguments.existing_token_file, arguments.cookie_file),
        Path(ca_file) if ca_file else None,
        os.environ,
        Patience(answer=arguments.request_timeout),
    )
    api.check()
    return api
