"""What a scheduler remembers beside the records of runs: a small file, of which nothing depends but time.

Without it, times of the schedule that have passed count as missed, missing spans are waited for once more, and the
files of spans that were refused are read once more to see whether they have changed.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

FILE = "ledger.json"


@dataclass
class Ledger:
    """The memory of one schedule.

    Attributes:
        passed: up to when times of the schedule have been worked off; None: never yet.
        seen: when each span that no training is of yet was first seen.
        told: the newest missing span that somebody was told of; None: nobody yet.
        prints: of spans that were refused, names, sizes and times of their files, and the fingerprint of these.
    """

    passed: datetime | None = None
    seen: dict[int, datetime] = field(default_factory=dict)
    prints: dict[int, tuple[str, str]] = field(default_factory=dict)
    told: int | None = None

    @classmethod
    def load(cls, folder: Path) -> Ledger:
        """Reads it; one that is not there, or cannot be understood, is a new one."""
        try:
            text: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
            return cls(
                datetime.fromisoformat(text["passed"]) if text["passed"] else None,
                {int(span): datetime.fromisoformat(seen) for span, seen in text["seen"].items()},
                {int(span): (signature, found) for span, (signature, found) in text["prints"].items()},
                None if text["told"] is None else int(text["told"]),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls()

    def save(self, folder: Path) -> None:
        """Writes it, whole or not at all.

        Raises:
            OSError: the disk refuses it.
        """
        content = {
            "passed": self.passed and self.passed.isoformat(),
            "seen": {str(span): seen.isoformat() for span, seen in sorted(self.seen.items())},
            "told": self.told,
            "prints": {str(span): list(found) for span, found in sorted(self.prints.items())},
        }
        folder.mkdir(parents=True, exist_ok=True)
        staging = folder / f".{FILE}-{secrets.token_hex(4)}"
        try:
            with staging.open("x", encoding="utf-8") as file:
                json.dump(content, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            staging.replace(folder / FILE)
        finally:
            staging.unlink(missing_ok=True)
