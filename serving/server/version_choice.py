"""Which version answers a request. Whoever calls holds the lock of what requests read."""

from __future__ import annotations

from serving.server.canary_traffic import CanaryTraffic
from serving.server.model_versions import AVAILABLE, LoadedVersion, ModelVersions
from serving.server.request_error import not_found
from serving.server.version_labels import labelled


def choose_version(
    model: ModelVersions | None, name: str, version: int | None, label: str | None, *, predicts: bool
) -> tuple[LoadedVersion, CanaryTraffic | None]:
    """The version for a request, and the traffic that it is a part of while a canary is tried.

    Args:
        model: the one that is asked; None where there is no such one.
        name: as the request has it.
        version: the number in the request.
        label: the label in the request, instead of a number.
        predicts: it is asked for predictions: a canary gets its part of these.

    Raises:
        RequestError: NOT_FOUND: there is no such version, or it is not available; INVALID_ARGUMENT: no such label.
    """
    traffic = model.canary_traffic() if predicts and model is not None and version is None else None
    chosen = None if traffic is None else traffic.choose(label)
    if chosen is not None:
        version = chosen
    elif label is not None:
        version = labelled(model, label)
    if version is None and model is not None:
        version = model.default()
        found = model.versions[version] if version is not None else None
        request = f"Latest({name})"
    else:
        found = model.versions.get(version) if model is not None and version is not None else None
        request = f"Specific({name}, {version})" if version is not None else f"Latest({name})"
    if found is None or found.state != AVAILABLE:
        raise not_found(f"Servable not found for request: {request}")
    return found, None if chosen is None else traffic
