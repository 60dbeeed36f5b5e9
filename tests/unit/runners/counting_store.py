"""A store that counts what it gives out."""

from __future__ import annotations

from typing import Any


class CountingStore:
    """Passes calls on to a store; `given` is how many artifacts, executions and events it has answered with, by kind.

    Args:
        store: an `ml_metadata.MetadataStore`.
    """

    def __init__(self, store: Any) -> None:
        self._store = store
        self.given: dict[str, int] = {"artifacts": 0, "executions": 0, "events": 0}

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            found = method(*args, **kwargs)
            for kind in self.given:
                if name.startswith(f"get_{kind}"):
                    self.given[kind] += len(found)
            return found

        return call
