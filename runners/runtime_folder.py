"""A folder for what only this user's processes on this machine share."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from schemas.errors import RunError


def runtime_folder() -> Path:
    """The folder, which nobody else may enter; it is made where it is not there.

    Raises:
        OSError: it cannot be made.
        RunError: somebody else has made it.
    """
    user = os.getuid()
    runtime = Path(f"/run/user/{user}")
    own = runtime.is_dir() and os.access(runtime, os.W_OK)
    folder = runtime / "scalable-tf" if own else Path(tempfile.gettempdir(), f"scalable-tf-{user}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != user:
        raise RunError(
            "The folder of locks belongs to somebody else.",
            where=str(folder),
            fix="Remove it, or set TMPDIR to another.",
        )
    return folder
