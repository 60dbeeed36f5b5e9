"""What a request's method and path ask for, as TensorFlow Serving's REST API has it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from serving.server.request_error import invalid

_VERSION = r"(?:/versions/(?P<version>[0-9]+)|/labels/(?P<label>[^/:]+))?"
_POST = re.compile(rf"/v1/models/(?P<model>[^/:]+){_VERSION}:(?P<action>(?-i:classify|regress|predict))", re.IGNORECASE)
_GET = re.compile(rf"/v1/models(?:/(?P<model>[^/:]+))?{_VERSION}(?:/(?P<action>metadata))?", re.IGNORECASE)
# What libevent, TensorFlow Serving's HTTP server, takes for no address.
_NO_ADDRESS = re.compile(r"[^A-Za-z0-9._~!$&'()*+,;=:@/?%-]|%(?![0-9A-Fa-f]{2})")
_MAX_VERSION = 2**63 - 1


@dataclass(frozen=True)
class Route:
    """A model, perhaps one version of it, and what to do.

    Attributes:
        action: classify, regress, predict, metadata or status.
        model: its name.
        version: its number, or None.
        label: of a version, or None.
    """

    action: str
    model: str
    version: int | None = None
    label: str | None = None


def read_route(method: str, path: str) -> Route:
    """The route of a request.

    Args:
        method: of HTTP, in capitals.
        path: below `/v1/`, as it was sent: names of models and labels may be percent-encoded.

    Raises:
        RequestError: INVALID_ARGUMENT: there is no such route.
    """
    pattern = {"POST": _POST, "GET": _GET}.get(method)
    found = pattern.fullmatch(path) if pattern and not _NO_ADDRESS.search(path) else None
    if found is None:
        raise invalid(f"Malformed request: {method} {path}")
    version = found["version"]
    # A run of digits that is longer than any version is not made a number.
    if version is not None and (len(version.lstrip("0")) > 19 or int(version) > _MAX_VERSION):
        raise invalid(f"Failed to convert version: {version} to numeric.")
    if found["model"] is None:
        raise invalid("Missing model name in request.")
    action = found["action"]
    return Route(
        # Only the rest of a path may have capitals: TensorFlow Serving answers `/METADATA` with the status.
        action=action if method == "POST" or action == "metadata" else "status",
        model=unquote(found["model"]),
        version=None if version is None else int(version),
        label=None if found["label"] is None else unquote(found["label"]),
    )
