"""The settings of a model of two towers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from configs.section import Section


class Towers(Section):
    """How queries find candidates: what someone may want among all that there is."""

    candidate: tuple[str, ...] = Field(
        min_length=1,
        description="Features of the candidate; all others form the query. The first one names the candidate: a "
        "categorical or integer feature.",
    )
    size: int = Field(32, ge=1, description="Numbers that a query and a candidate become.")
    temperature: float = Field(0.1, gt=0.0, description="By which the cosine of both is divided.")
    retrieval_weight: float = Field(
        1.0, ge=0.0, description="Weight of finding the candidate in the loss, beside that of judging it."
    )
    depths: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (1, 10, 50, 100),
        min_length=1,
        description="Numbers of candidates for which recall is reported; the largest is how many the signature "
        "retrieve gives.",
    )
