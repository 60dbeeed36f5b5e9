"""The verdict on a model: whether it may be released, and why."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.errors import ReleaseError

FILE_NAME = "blessing.json"


class Failure(BaseModel):
    """A threshold that the model does not keep to."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    slice: str
    metric: str
    value: float | None
    """The metric, or its difference from the baseline's; None where it is not a number."""
    bound: str
    """What was asked for, as a sentence's end: `must be at least 0.9`."""


class Blessing(BaseModel):
    """The verdict.

    Attributes:
        blessed: whether the model may be released.
        forced: the reason given for blessing it although thresholds failed, or None.
        baseline: the model it was compared with, as its artifact's URI, or None: no earlier blessed model
            predicts the same label.
        failures: the thresholds that failed.
        unchecked: metrics whose change threshold was not checked, because there was no baseline.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    blessed: bool
    forced: str | None = None
    baseline: str | None = None
    failures: tuple[Failure, ...] = ()
    unchecked: tuple[str, ...] = ()

    def save(self, path: Path) -> None:
        """Writes the verdict as JSON."""
        path.write_text(json.dumps(self.model_dump(mode="json"), indent=2, sort_keys=True) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Blessing:
        """Reads what `save` wrote.

        Raises:
            ReleaseError: the file is missing or is not a verdict.
        """
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, ValidationError) as error:
            raise ReleaseError(
                "The record of a model's blessing cannot be read.",
                where=str(path),
                received=error,
                fix="Run the pipeline again: the Evaluator writes it anew.",
            ) from error
