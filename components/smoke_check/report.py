"""What a smoke check has found."""

from __future__ import annotations

import json
import math
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.errors import ReleaseError

FILE_NAME = "report.json"


class Latency(BaseModel):
    """Of requests of one row, one after another, in milliseconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    p50: float
    p99: float
    requests: int


class Mismatch(BaseModel):
    """A value that is not the model's own.

    Attributes:
        protocol: gRPC or REST.
        signature: that was asked.
        output: of the signature.
        row: of the split, from 0; None: it is not of one row.
        together: rows in the request.
        expected: by the model itself.
        received: by the server.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    protocol: str
    signature: str
    output: str
    row: int | None
    together: int
    expected: str
    received: str

    def __str__(self) -> str:
        row = "" if self.row is None else f", row {self.row}"
        rows = f"{self.together} rows" if self.together > 1 else "1 row"
        return (
            f"{self.protocol}, {self.signature}, {self.output}{row} in a request of {rows}: "
            f"{self.received} in place of {self.expected}"
        )


class Report(BaseModel):
    """What was asked, and what came back; as JSON, this is report.json.

    Attributes:
        faults: why the model is not to be released, a line each; none: it is.
        server: the command that started it.
        split: from which the rows are.
        rows: how many of them were asked for, from its first on.
        skipped: signatures that were not asked as these rows are nothing that they take, a line each.
        requests: by protocol and signature.
        mismatches: the first values that differ.
        mismatched: how many differ.
        tolerance: how far numbers may differ.
        load_seconds: from the server's start until it served the model.
        latency_ms: by protocol.
        max_latency_ms: what the p99 may be.
        peak_memory_mib: resident memory of the server's process.
        max_memory_mib: what it may be.
        warmup_requests: that were added to the model.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    faults: tuple[str, ...] = ()
    server: str = ""
    split: str = ""
    rows: int = 0
    skipped: tuple[str, ...] = ()
    requests: dict[str, dict[str, int]] = {}
    mismatches: tuple[Mismatch, ...] = ()
    mismatched: int = 0
    tolerance: float = 0.0
    load_seconds: float | None = None
    latency_ms: dict[str, Latency] = {}
    max_latency_ms: float | None = None
    peak_memory_mib: float | None = None
    max_memory_mib: int | None = None
    warmup_requests: int = 0

    @property
    def passed(self) -> bool:
        """Whether the model may be released."""
        return not self.faults

    def exceeded(self) -> dict[str, float]:
        """What was measured above a limit, by the name of the setting; none where anything else was wrong, too."""
        found: dict[str, float] = {}
        slow = [one.p99 for one in self.latency_ms.values() if one.p99 > (self.max_latency_ms or math.inf)]
        if slow:
            found["max_latency_ms"] = max(slow)
        if (self.peak_memory_mib or 0.0) > (self.max_memory_mib or math.inf):
            found["max_memory_mib"] = self.peak_memory_mib or 0.0
        others = len(self.faults) - len(slow) - ("max_memory_mib" in found)
        return {} if others else found

    def save(self, path: Path) -> None:
        """Writes it as JSON."""
        path.write_text(json.dumps(self.model_dump(mode="json"), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Report:
        """Reads what `save` wrote.

        Raises:
            ReleaseError: it cannot be read.
        """
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, ValidationError) as error:
            raise ReleaseError(
                "The report of a smoke check cannot be read.",
                where=str(path),
                received=error,
                fix="Run the pipeline again: SmokeCheck writes it anew.",
            ) from error
