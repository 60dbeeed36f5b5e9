"""What a check has found: what is wrong, where, what was received, and the remedy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from schemas.errors import SettingsError


@dataclass(frozen=True)
class Finding:
    """One thing that would keep a pipeline from running, or might.

    Attributes:
        severity: an error is refused, a warning is not.
        what: one sentence.
        where: key of the settings.
        received: the offending value; empty where there is none.
        remedy: what to do about it.
    """

    severity: Literal["error", "warning"]
    what: str
    where: str
    received: str
    remedy: str

    def __str__(self) -> str:
        """As errors are shown."""
        received = f"\n  Received: {self.received}" if self.received else ""
        return f"{self.severity}: {self.what}\n  Where: {self.where}{received}\n  Fix: {self.remedy}"


def refuse_errors(findings: Iterable[Finding]) -> None:
    """Ends what must not go on with an error among the findings.

    Raises:
        SettingsError: there is one; of several the first ones are listed.
    """
    errors = [finding for finding in findings if finding.severity == "error"]
    if len(errors) == 1:
        (only,) = errors
        raise SettingsError(only.what, where=only.where, received=only.received or None, fix=only.remedy)
    if errors:
        listed = "\n\n".join(str(error) for error in errors)
        raise SettingsError(f"The pipeline would not run: {len(errors)} mistakes.\n\n{listed}")
