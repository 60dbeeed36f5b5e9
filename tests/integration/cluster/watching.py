"""Lists and watches of the API server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from distribution.kubernetes.api_server import ApiError, ApiServer


def watch(api: ApiServer, path: str, **selectors: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What there is, as ADDED, and then every change, for as long as the API server answers.

    Args:
        api: the API server.
        path: of the objects.
        selectors: which ones.
    """
    while True:
        found = api.json("GET", path, query=selectors)
        for item in found["items"]:
            yield "ADDED", item
        query = {**selectors, "watch": "true", "resourceVersion": found["metadata"]["resourceVersion"]}
        try:
            for line in api.lines(path, query=query):
                event = json.loads(line)
                if event["type"] == "ERROR":
                    break
                yield event["type"], event["object"]
        except ApiError:
            continue
