"""Which settings differ between two."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from configs.settings import Settings

_ABSENT = object()


def changed_settings(before: Settings, now: Settings) -> dict[str, tuple[Any, Any]]:
    """Old and new value of each setting that is not the same, by its key with dots; None where there is none.

    Secrets are shown as in every dump: by the name of their variable.
    """
    return dict(_changed(before.dump(), now.dump(), ""))


def _changed(before: Any, now: Any, key: str) -> Iterator[tuple[str, tuple[Any, Any]]]:
    if isinstance(before, dict) and isinstance(now, dict):
        for name in (*before, *(name for name in now if name not in before)):
            yield from _changed(before.get(name, _ABSENT), now.get(name, _ABSENT), f"{key}.{name}" if key else name)
    elif before != now:
        yield key, tuple(None if value is _ABSENT else value for value in (before, now))  # type: ignore[misc]
