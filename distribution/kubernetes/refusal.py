"""What the API server refuses, as a readable error."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from distribution.kubernetes.api_server import ApiError
from distribution.kubernetes.cluster_api import ClusterApi
from distribution.kubernetes.permissions import not_allowed
from schemas.errors import TrainingError

_REFUSALS = {
    0: ("The Kubernetes API server does not answer.", "Check the cluster, the network and the kubeconfig."),
    401: ("Kubernetes does not know who we are.", "Renew the credentials of the kubeconfig."),
    404: ("Kubernetes does not have what is named.", "Check training.cluster.kubernetes.namespace."),
}


@contextlib.contextmanager
def refusals_readable(api: ClusterApi) -> Iterator[None]:
    """What the API server refuses meanwhile becomes a TrainingError.

    Raises:
        TrainingError: the server refused something, or did not answer.
    """
    try:
        yield
    except ApiError as error:
        where = f"namespace {api.namespace}"
        if error.status == 403 and "is forbidden: User" in error.message:
            raise not_allowed(error.message, api) from error
        what, fix = _REFUSALS.get(
            error.status,
            ("Kubernetes refuses the training.", "Change what it names in training.cluster.kubernetes."),
        )
        raise TrainingError(what, where=where, received=error.message, fix=fix) from error
