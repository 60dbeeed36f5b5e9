"""Which DoFns and CombineFns of a graph stand in several places, and have to be copied for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
from apache_beam.internal import pickler

from runners.inline_step import Step


class Copies:
    """Gives each place a function of its own, as Beam's other runners do by serialising all of them.

    A function that stands in one place only is used as it is, which saves a millisecond each: a graph of TFX has
    hundreds. Shared by two places, state of the one would be seen by the other, and be torn down by it.

    Args:
        steps: all steps that will run.
    """

    def __init__(self, steps: list[Step]) -> None:
        fns = (step.node.transform.fn for step in steps if step.kind in ("pardo", "combine"))
        uses = Counter(id(part) for fn in fns for part in _parts(fn))
        self._shared = {part for part, count in uses.items() if count > 1}

    def own(self, fn: Any) -> Any:
        """The function, or a copy of it when it, or one that it holds, is used elsewhere too."""
        if any(id(part) in self._shared for part in _parts(fn)):
            return pickler.loads(pickler.dumps(fn))
        return fn


def _parts(fn: Any) -> Iterator[Any]:
    """The function and those that it is made of."""
    if isinstance(fn, list | tuple):
        for part in fn:
            yield from _parts(part)
    elif isinstance(fn, beam.DoFn | beam.CombineFn):
        yield fn
        for part in getattr(fn, "__dict__", {}).values():
            yield from _parts(part)
