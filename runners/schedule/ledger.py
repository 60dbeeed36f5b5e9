"""What a scheduler remembers beside the records of runs: a small file, on which only time and who is told depend.

Without it, times of the schedule that have passed count as missed, missing spans are waited for once more, the files of
spans that were refused are read once more to see whether they have changed, and nobody is told of what was before.
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


@dataclass(frozen=True)
class Held:
    """A time in which nothing could be done.

    Attributes:
        since: when it began.
        told: whether the hook was called.
    """

    since: datetime
    told: bool = False


@dataclass
class Ledger:
    """The memory of one schedule.

    Attributes:
        passed: up to when times of the schedule have been worked off; None: never yet.
        seen: when each span that no training is of yet was first seen.
        prints: of spans that were refused, names, sizes and times of their files, and the fingerprint of these.
        missing: the newest missing span that somebody was told of; None: nobody yet.
        outcomes: of each span that is news, the id of the last event that somebody was told of; None: nobody yet.
        held: since when nothing can be done; None: it can.
        lost: why each run will not end any more that is closed for that, and of which somebody is still to be told.
    """

    passed: datetime | None = None
    seen: dict[int, datetime] = field(default_factory=dict)
    prints: dict[int, tuple[str, str]] = field(default_factory=dict)
    missing: int | None = None
    outcomes: dict[int, str] | None = None
    held: Held | None = None
    lost: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> Ledger:
        """Reads it; one that is not there, or cannot be understood, is a new one."""
        try:
            text: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
            outcomes, held = text.get("outcomes"), text.get("held")
            return cls(
                datetime.fromisoformat(text["passed"]) if text["passed"] else None,
                {int(span): datetime.fromisoformat(seen) for span, seen in text["seen"].items()},
                {int(span): (signature, found) for span, (signature, found) in text["prints"].items()},
                None if text.get("missing") is None else int(text["missing"]),
                None if outcomes is None else {int(span): str(event) for span, event in outcomes.items()},
                None if held is None else Held(datetime.fromisoformat(held["since"]), bool(held["told"])),
                {str(run): str(why) for run, why in text.get("lost", {}).items()},
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls()

    def reload(self, folder: Path) -> None:
        """Takes what another process has written since."""
        vars(self).update(vars(Ledger.load(folder)))

    def save(self, folder: Path) -> None:
        """Writes it, whole or not at all.

        Raises:
            OSError: the disk refuses it.
        """
        content: dict[str, Any] = {
            "passed": self.passed and self.passed.isoformat(),
            "seen": {str(span): seen.isoformat() for span, seen in sorted(self.seen.items())},
            "missing": self.missing,
            "prints": {str(span): list(found) for span, found in sorted(self.prints.items())},
            "outcomes": self.outcomes,
            "held": self.held and {"since": self.held.since.isoformat(), "told": self.held.told},
            "lost": self.lost,
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
