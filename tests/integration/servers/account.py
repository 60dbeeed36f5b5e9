"""The account that servers run under."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Any


class Account:
    """Who runs the servers: they refuse to be root."""

    def __init__(self, *names: str) -> None:
        known = {entry.pw_name: entry for entry in pwd.getpwall()}
        self._entry = next((known[name] for name in (*names, "nobody") if name in known), None)

    @property
    def options(self) -> dict[str, Any]:
        """For subprocess."""
        if os.geteuid() or self._entry is None:
            return {}
        return {"user": self._entry.pw_uid, "group": self._entry.pw_gid, "extra_groups": []}

    def owns(self, *paths: Path) -> None:
        """Gives files or folders to it."""
        if not os.geteuid() and self._entry is not None:
            for path in paths:
                os.chown(path, self._entry.pw_uid, self._entry.pw_gid)
