"""Which function transforms which kind of feature."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

Kind = Callable[[Any, Any, str], Any]
"""(values, spec, name) -> outputs by key, or a generator that first asks for statistics and then returns them."""


class Registry(Mapping[type, Kind]):
    """Functions by the class of the feature's entry in the feature table.

    Args:
        pairs: classes and functions.

    Raises:
        ValueError: a class is given twice.
    """

    def __init__(self, pairs: Iterable[tuple[type, Kind]]) -> None:
        self._functions: dict[type, Kind] = {}
        for spec, function in pairs:
            if spec in self._functions:
                names = f"{self._functions[spec].__name__} and {function.__name__}"
                raise ValueError(f"{spec.__name__} has two functions. Received: {names}")
            self._functions[spec] = function

    def __getitem__(self, spec: type) -> Kind:
        return self._functions[spec]

    def __iter__(self) -> Iterator[type]:
        return iter(self._functions)

    def __len__(self) -> int:
        return len(self._functions)
