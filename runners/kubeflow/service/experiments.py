"""Experiments: what the server groups runs by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runners.kubeflow.service.refusal import RefusedError

if TYPE_CHECKING:
    from runners.kubeflow.service.api import PipelinesApi


def ensure_experiment(api: PipelinesApi, name: str) -> str:
    """The id of the experiment of that name, which is made where it is not there yet.

    Raises:
        RefusedError: the server does not make it.
    """
    import kfp_server_api

    if found := find_experiment(api, name):
        return found
    body = kfp_server_api.V2beta1Experiment(display_name=name, namespace=api.namespace or None)
    try:
        return str(api.experiments.create_experiment(body).experiment_id)
    except RefusedError as error:
        if error.status == 409 and (found := find_experiment(api, name)):
            return found
        raise


def find_experiment(api: PipelinesApi, name: str) -> str | None:
    """The id of the experiment of that name."""
    options = {"namespace": api.namespace} if api.namespace else {}
    for experiment in api.every(api.experiments.list_experiments, "experiments", filter=api.named(name), **options):
        if experiment.display_name == name:
            return str(experiment.experiment_id)
    return None
