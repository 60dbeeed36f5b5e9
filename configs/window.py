"""Settings of the window: which spans of arriving data one training reads."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from configs.section import Section, either
from schemas.errors import PlacedValueError

Spans = Annotated[Annotated[int, Field(ge=1)] | Literal["all"], either("must be a whole number of at least 1, or all")]


class Window(Section):
    """Spans of a training. Each is ingested, validated and accepted by the run of its own; later windows reuse it."""

    spans: Spans = Field(
        1,
        description="The newest spans that a training reads, that of the run included; all: a growing window. With 1 "
        "there is no window.",
    )
    minimum: int = Field(1, ge=1, description="Least spans that a training needs.")
    max_gaps: int = Field(
        0,
        ge=0,
        description="Spans of the window that may be missing or refused. What is before the first span that was ever "
        "ingested is no gap.",
    )
    step: int = Field(
        1, ge=1, description="Distance of one span from the next, in span numbers: 7 for weekly data by date."
    )

    @property
    def is_used(self) -> bool:
        """Whether a training reads more than the run's own span."""
        return self.spans != 1

    def numbers(self, newest: int) -> range | None:
        """Span numbers of the window that ends with `newest`, from the oldest; None: all up to it, `step` apart."""
        if self.spans == "all":
            return None
        first = max(newest - (self.spans - 1) * self.step, newest % self.step)
        return range(first, newest + 1, self.step)

    @model_validator(mode="after")
    def _can_be_met(self) -> Window:
        if self.spans == "all":
            return self
        if self.minimum > self.spans:
            raise PlacedValueError(
                f"must be at most the {self.spans} spans of the window", ("minimum",), received=self.minimum
            )
        if self.max_gaps and self.max_gaps > self.spans - self.minimum:
            raise PlacedValueError(
                f"must leave the minimum of {self.minimum} of the {self.spans} spans",
                ("max_gaps",),
                received=self.max_gaps,
            )
        return self
