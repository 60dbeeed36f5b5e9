"""Which model is asked."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.errors import ServingError


@dataclass(frozen=True)
class Target:
    """A model of a server; without version and label, its newest version.

    Attributes:
        model: its name.
        version: a number, or None.
        label: such as `stable`, or None.

    Raises:
        ServingError: both version and label are given, or no name.
    """

    model: str
    version: int | None = None
    label: str | None = None

    def __post_init__(self) -> None:
        if not self.model:
            raise ServingError("A model is asked for by its name.", where="model", fix="Give it: --model NAME.")
        if self.version is not None and self.label is not None:
            raise ServingError(
                "A model is asked for by its version or by a label.",
                where=self.model,
                received=f"version {self.version} and label {self.label}",
                fix="Give one of them.",
            )

    def __str__(self) -> str:
        if self.version is not None:
            return f"{self.model}, version {self.version}"
        return f"{self.model}, label {self.label}" if self.label else self.model
