"""What a measurement ran on."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from schemas.errors import SetupError

_COMPILED = ("tfx", "tensorflow", "apache_beam")
_VERSIONS = ("tfx", "tensorflow", "apache-beam", "scikit-learn")


def machine() -> dict[str, Any]:
    """JSON-ready facts beside which the seconds are to be read; `load` is the 1-minute load average at this moment."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in _VERSIONS},
        "load": round(os.getloadavg()[0], 2),
    }


def require_byte_code() -> None:
    """Checks that the environment was byte-compiled at its installation; else every start takes seconds longer.

    Raises:
        SetupError: a package that both sides import is missing or has no byte code.
    """
    for name in _COMPILED:
        found = importlib.util.find_spec(name)
        if found is None or found.origin is None:
            raise SetupError(f"{name} is not installed.", where=sys.prefix, fix="make setup")
        if not Path(importlib.util.cache_from_source(found.origin)).exists():
            raise SetupError(
                f"{name} is not byte-compiled: both sides would compile it at every start.",
                where=sys.prefix,
                fix="make setup, or: python -m compileall -q " + sys.prefix,
            )
