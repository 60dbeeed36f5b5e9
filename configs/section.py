"""What every section of the settings is made of."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, WrapValidator

from configs.secret import ENVIRONMENT_KEY, holds_password


class Section(BaseModel):
    """A part of the settings: frozen, and an unknown key is an error."""

    # Inputs are hidden because the text of a ValidationError ends in logs, and an input may be a password.
    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False, hide_input_in_errors=True
    )


_FromEnvironment = Annotated[str, Field(min_length=1, json_schema_extra={ENVIRONMENT_KEY: True})]
"""Text in which `${NAME}` and `${NAME:-default}` are replaced by that environment variable; `$$` is a `$`."""


def _a_location(location: str) -> str:
    if "\0" in location:
        raise ValueError("must not hold the character NUL")
    if holds_password(location):
        raise ValueError(
            "must not hold a password, because locations are shown and recorded; "
            "let the cloud client use its own credentials (its environment variables, profile or key file)"
        )
    return location


Location = Annotated[_FromEnvironment, AfterValidator(_a_location)]
"""A path or a URI; it may name environment variables, but not hold a password."""

_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


def _a_dotted_path(value: str) -> str:
    if not _DOTTED.fullmatch(value):
        raise ValueError("must be a dotted path to a function, such as models.run_fn.run_fn")
    return value


DottedPath = Annotated[str, AfterValidator(_a_dotted_path)]
"""Names a function: its module and its own name."""


def either(meaning: str) -> WrapValidator:
    """Of a union: one message that says what it takes, in place of one for each of its parts.

    Args:
        meaning: follows the name of the setting: `must be ...`.
    """

    def validate(value: Any, handler: Callable[[Any], Any]) -> Any:
        try:
            return handler(value)
        except ValidationError:
            raise ValueError(meaning) from None

    return WrapValidator(validate)
