"""Beam's programs that `make engines` builds: Prism, and boot, which starts Python workers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from configs.paths import resolve
from schemas.errors import SetupError

FOLDER = "beam-2.62.0"
"""Name of the folder into which `make engines` builds them."""
_SETTINGS = {"prism": "engine.prism.binary", "boot": "workers.command"}


def engine_program(name: Literal["prism", "boot"], given: str | None, environ: Mapping[str, str]) -> Path:
    """Path of a program.

    Args:
        name: of the program.
        given: its path, as the settings give it; None: what `make engines` built, or what is on PATH.
        environ: XDG_CACHE_HOME and PATH.

    Raises:
        SetupError: it is not there.
    """
    caches = environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    built = Path(caches, "scalable-tensorflow", "engines", FOLDER, name)
    path = Path(resolve(given)) if given else built
    if given is None and not path.exists():
        path = Path(shutil.which(name, path=environ.get("PATH")) or built)
    if not os.access(path, os.X_OK):
        raise SetupError(
            f"Beam's {name} is not there.",
            where=str(path),
            received="no program that may be run",
            fix=f"Run `make engines` once, with Go 1.22 or newer on PATH, or set {_SETTINGS[name]} to the program.",
        )
    return path
