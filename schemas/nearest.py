"""The known name that a user probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is closest to a mistyped one, or None if none is close."""
    names = {str(candidate).lower().replace("-", "_"): str(candidate) for candidate in reversed(list(known))}
    found = get_close_matches(name.lower().replace("-", "_"), list(names), n=1, cutoff=0.6)
    return names[found[0]] if found else None
