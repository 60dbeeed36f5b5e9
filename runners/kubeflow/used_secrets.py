"""The variables from which settings take their secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from configs.secret import SecretUrl

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def used_secrets(settings: BaseModel) -> Iterator[tuple[str, str, bool]]:
    """The key of each secret, the variable that it names, and whether that stands for one that was written out."""
    yield from _secrets(settings.model_dump(mode="python", by_alias=True), ())


def _secrets(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str, bool]]:
    if isinstance(value, SecretUrl):
        for name in _REFERENCE.findall(value):
            yield ".".join(path), name, name in value.environment()
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from _secrets(child, (*path, str(key)))
    elif isinstance(value, (list, tuple)):
        for place, child in enumerate(value):
            yield from _secrets(child, (*path, str(place)))
