"""A number of things in words."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """The number with the noun, which ends in s where there are several.

    >>> [counted(number, "error") for number in (0, 1, 2)]
    ['0 errors', '1 error', '2 errors']
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"
