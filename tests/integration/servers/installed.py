"""Servers that are installed on this machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


def find(binary: str, *, packages: str) -> Path:
    """A server's binary; on Debian, PostgreSQL's are beside those of its other versions and not on the path."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{binary}"), reverse=True)
    found = shutil.which(binary, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if not versions and not found:
        pytest.skip(f"{binary} is not installed: apt-get install {packages}")
    return versions[0] if versions else Path(str(found))
