"""Where commands print."""

from __future__ import annotations

from rich.console import Console

_WIDE = 160


def console(*, stderr: bool = False) -> Console:
    """The terminal; without one, lines as wide as log files and CI show them well."""
    found = Console(stderr=stderr)
    return found if found.is_terminal else Console(stderr=stderr, width=_WIDE)
