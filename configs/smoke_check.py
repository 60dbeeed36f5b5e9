"""Settings of the smoke check: what a model server has to show before a model is released."""

from __future__ import annotations

import string

from pydantic import Field, model_validator

from configs.section import Section
from schemas.errors import PlacedValueError

_NEEDED = ("model_dir", "grpc_port", "rest_port")
_PLACES = (*_NEEDED, "model_name")


class SmokeCheck(Section):
    """A model server loads the candidate, and has to give the Trainer's predictions for real rows."""

    enabled: bool = Field(True, description="Check each blessed model so before it is released.")
    examples: int = Field(
        32, ge=1, le=1000, description="Rows of evaluation.split that are asked for, by REST and gRPC."
    )
    signatures: tuple[str, ...] = Field(
        (),
        description="Signatures that are asked. Default: serving_default, predict, retrieve, where they are.",
    )
    tolerance: float = Field(
        1e-4,
        ge=0.0,
        description="A number may differ from the Trainer's by this, and by this fraction of it, added up.",
    )
    load_seconds: float = Field(120.0, gt=0.0, description="Within them the server has to serve the model.")
    request_seconds: float = Field(30.0, gt=0.0, description="Within them a request has to be answered.")
    max_latency_ms: float | None = Field(
        None, gt=0.0, description="Of requests of one row, 99 of 100 have to be answered within it. Default: no limit."
    )
    max_memory_mib: int | None = Field(
        None, ge=1, description="Resident memory that the server's process may reach. Default: no limit."
    )
    warmup: int = Field(
        8, ge=0, le=100, description="Rows with which servers that load the release warm up; 0: they do not."
    )
    command: tuple[str, ...] | None = Field(
        None,
        description="Starts another server than scalable-tf serve: words with {model_name}, {model_dir} (a folder that "
        "has version 1 in it), {grpc_port} and {rest_port}, on 127.0.0.1.",
    )

    @model_validator(mode="after")
    def _a_command(self) -> SmokeCheck:
        if self.command is None:
            return self
        place = ("command",)
        try:
            parts = [part for word in self.command for part in string.Formatter().parse(word) if part[1] is not None]
        except ValueError as error:
            raise PlacedValueError(f"has a brace that is none of a name ({error}); write {{{{ for {{", place) from None
        for _, name, form, conversion in parts:
            if name not in _PLACES or form or conversion:
                known = ", ".join(f"{{{one}}}" for one in _PLACES)
                raise PlacedValueError(f"may have {known} in braces and nothing else", place, received=f"{{{name}}}")
        named = [name for _, name, _, _ in parts]
        if missing := [name for name in _NEEDED if name not in named]:
            raise PlacedValueError(f"must name {{{missing[0]}}}", place, received=" ".join(self.command))
        return self
