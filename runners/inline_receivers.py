"""Where Beam's DoFnRunner puts what a DoFn gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apache_beam.runners.common import Receiver
from apache_beam.utils.windowed_value import WindowedValue

Push = Callable[[WindowedValue], Any]


class Outlet(Receiver):
    """Beam's compiled code calls `receive`: being an attribute of the instance, it is the target itself."""

    def __init__(self, push: Push) -> None:
        self.receive = push


class Receivers(dict[Any, Receiver]):
    """By tag; what goes to a tag that nobody has asked for is dropped."""

    def __missing__(self, tag: Any) -> Receiver:
        receiver = self[tag] = Outlet(drop)
        return receiver


def drop(element: WindowedValue) -> None:
    """Takes an element that nobody needs."""
