"""One transform of a Beam graph, as the inline runner executes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from apache_beam.io import iobase
from apache_beam.pipeline import AppliedPTransform
from apache_beam.pvalue import PBegin, PCollection
from apache_beam.transforms import core, util

Kind = Literal["impulse", "read", "pardo", "flatten", "pass", "group", "combine"]

# Whole composites that one process does in one go: there is nothing to redistribute and nothing to combine before a
# shuffle. A subclass with an expansion of its own is left to that expansion.
_COMPOSITES: tuple[tuple[type, Kind], ...] = (
    (core.CombinePerKey, "combine"),
    *((getattr(util, name), "pass") for name in ("Reshuffle", "ReshufflePerKey") if hasattr(util, name)),
)
_PRIMITIVES: tuple[tuple[type, Kind], ...] = (
    (core.Impulse, "impulse"),
    (core.ParDo, "pardo"),
    (core.Flatten, "flatten"),
    (core.GroupByKey, "group"),
)


@dataclass(eq=False)
class Step:
    """One transform.

    Attributes:
        node: where it stands in the graph.
        kind: what it does; `pass` hands elements on.
        level: when it runs. Steps of one level run at the same time, elements pushed from one into the next.
    """

    node: AppliedPTransform
    kind: Kind
    level: int = 0

    @property
    def label(self) -> str:
        """Its full name in the graph."""
        return str(self.node.full_label)

    @property
    def inputs(self) -> list[PCollection]:
        """Main inputs; one that is given twice is there twice."""
        return [given for given in self.node.inputs if not isinstance(given, PBegin)]

    @property
    def sides(self) -> list[PCollection]:
        """Collections that must be complete before the step starts."""
        return [view.pvalue for view in self.node.side_inputs]

    @property
    def outputs(self) -> dict[Any, PCollection]:
        """Tag (None: the main one) to collection."""
        return {tag: given for tag, given in self.node.outputs.items() if isinstance(given, PCollection)}

    @property
    def emits(self) -> int:
        """Level at which its elements flow: a grouping has to see all of its input first."""
        return self.level + 1 if self.kind in ("group", "combine") else self.level


def kind_of(node: AppliedPTransform) -> Kind | None:
    """How the inline runner executes this node; None: by executing its parts, or not at all."""
    transform = node.transform
    if isinstance(transform, iobase.Read) and isinstance(transform.source, iobase.BoundedSource):
        return "read"
    if isinstance(transform, core.WindowInto) and len(node.inputs) == 1:
        return "pass"  # from the global window into the global window: the plan refuses all others
    for base, kind in _COMPOSITES:
        # Beam expands a combine with side inputs into a ParDo over groups.
        if isinstance(transform, base) and type(transform).expand is base.expand and not node.side_inputs:  # type: ignore[attr-defined]
            return kind
    if not node.parts:
        for base, kind in _PRIMITIVES:
            if isinstance(transform, base):
                return kind
    return None
