"""`${NAME}` in texts: the environment variable of that name."""

from __future__ import annotations

import re
from collections.abc import Mapping

_DOLLAR = re.compile(r"\$(?:(?P<dollar>\$)|\{(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\})?)")


class UndefinedVariableError(LookupError):
    """A text needs an environment variable that is not set and has no default.

    Args:
        name: the variable.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"the environment variable {name} is not set")
        self.name = name


def expand(text: str, environment: Mapping[str, str]) -> str:
    """The text with its variables replaced.

    `${NAME}` is the variable; `${NAME:-default}` is the default if the variable is not set or empty, as in a shell;
    `$$` is one `$`; any other `$` stands for itself. What a variable holds is not expanded again.

    Raises:
        UndefinedVariableError: a variable without a default is not set.
        ValueError: `${` without a name and a closing brace.
    """

    def value(match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        name, default = match["name"], match["default"]
        if name is None:
            raise ValueError("`${` is not followed by the name of a variable and `}`; write `$$` for a single `$`")
        if default is not None:
            return environment.get(name) or default
        if name not in environment:
            raise UndefinedVariableError(name)
        return environment[name]

    return _DOLLAR.sub(value, text)


def escape(text: str) -> str:
    """A text that `expand` turns into the given one."""
    return text.replace("$", "$$") if "$$" in text or "${" in text else text
