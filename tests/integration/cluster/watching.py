"""Lists and watches of the API server, as plain dictionaries."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import urllib3
from kubernetes.client import ApiException

Listing = Callable[..., Any]


def watch(listing: Listing, **selectors: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What there is, as ADDED, and then every change, for as long as the API server answers.

    Args:
        listing: one of the client's list functions.
        selectors: which objects.
    """
    while True:
        found = json.loads(listing(_preload_content=False, **selectors).data)
        for item in found["items"]:
            yield "ADDED", item
        version = found["metadata"]["resourceVersion"]
        try:
            stream = listing(watch=True, resource_version=version, _preload_content=False, **selectors)
            for line in _lines(stream):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    break
                yield event["type"], event["object"]
        except (urllib3.exceptions.HTTPError, ApiException):
            continue


def _lines(stream: Any) -> Iterator[bytes]:
    rest = b""
    for piece in stream.stream(amt=None, decode_content=False):
        *lines, rest = (rest + piece).split(b"\n")
        yield from (line for line in lines if line)
