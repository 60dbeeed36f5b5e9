"""Labels of versions: for those that are loaded. Whoever calls holds the lock of what requests read."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

import grpc

from serving.server.model_config import ModelConfig
from serving.server.model_versions import ModelVersions
from serving.server.request_error import RequestError, invalid


def labelled(model: ModelVersions | None, label: str) -> int:
    """The version of a label.

    Raises:
        RequestError: INVALID_ARGUMENT: there is no such label.
    """
    if model is None or label not in model.labels:
        raise invalid(f"Unrecognized servable version label: {label}")
    return model.labels[label]


def unassignable(model: ModelVersions) -> dict[str, int]:
    """Labels that cannot be assigned, as their versions are not loaded."""
    available = model.available()
    return {
        label: version
        for label, version in model.config.version_labels.items()
        # One that is there already stays, and who asks for it is told that its version is not.
        if version not in available and model.labels.get(label) != version
    }


def take_labels(model: ModelVersions) -> None:
    """Takes the labels of the model's config, each once its version is loaded: until then it stays where it was."""
    waiting = unassignable(model)
    model.labels = {
        label: model.labels[label] if label in waiting else version
        for label, version in model.config.version_labels.items()
        if label not in waiting or label in model.labels
    }


def check_labels(configs: Iterable[ModelConfig], models: Mapping[str, ModelVersions]) -> None:
    """Looks at the labels of new configs before anything is changed.

    Raises:
        RequestError: FAILED_PRECONDITION: one is for a version that is not available now.
    """
    for config in configs:
        model = models.get(config.name)
        for label, version in config.version_labels.items():
            if model is None or (model.labels.get(label) != version and version not in model.available()):
                raise _unavailable(config.name, version)


def assign_labels(models: Iterable[ModelVersions]) -> None:
    """Takes the labels of the models' configs, all or none.

    Raises:
        RequestError: FAILED_PRECONDITION: one is for a version that is not available; the labels stay as they were.
    """
    models = tuple(models)
    missing = [(model.config.name, version) for model in models for version in unassignable(model).values()]
    if not missing:
        for model in models:
            take_labels(model)
        return
    for model in models:
        # Or they would be taken as soon as the version is there, from a request that was refused.
        model.config = dataclasses.replace(model.config, version_labels=dict(model.labels))
    raise _unavailable(*missing[0])


def _unavailable(name: str, version: int) -> RequestError:
    return RequestError(
        grpc.StatusCode.FAILED_PRECONDITION,
        f"Request to assign label to version {version} of model {name}, which is not currently available for inference",
    )
