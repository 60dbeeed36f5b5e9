"""The part of a plan that several processes can share: one element after the other, from a reshuffle on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.runners.common import DoFnRunner, Receiver
from apache_beam.transforms.core import Windowing
from apache_beam.transforms.util import Reshuffle
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.windowed_value import WindowedValue

from runners.inline_groups import Groups, key_coder
from runners.inline_plan import Plan
from runners.inline_step import Step


@dataclass(frozen=True)
class Chain:
    """Steps of which each hands its elements to the next, and to nothing else.

    Args:
        pardos: without side inputs.
        combine: where the elements end; None: what comes out at the end is dropped.
    """

    pardos: tuple[Step, ...]
    combine: Step | None

    @classmethod
    def after(cls, plan: Plan, step: Step) -> Chain | None:
        """What follows a reshuffle, or None where it is more than a chain. Beam may redistribute elements there."""
        if not isinstance(step.node.transform, Reshuffle):
            return None
        pardos: list[Step] = []
        level = step.level
        while True:
            outputs = step.outputs
            given = outputs.get(None)
            consumers = plan.consumers.get(given, []) if given is not None else []
            if len(outputs) > 1 or given in plan.side_until or len(consumers) > 1:
                return None
            if not consumers:
                return cls(tuple(pardos), None)
            (step,) = consumers
            if step.level != level or step.sides:
                return None
            if step.kind == "combine" and not step.node.transform.args and not step.node.transform.kwargs:
                return cls(tuple(pardos), step)
            if step.kind == "pardo":
                pardos.append(step)
            elif step.kind != "pass":
                return None

    def share(self, elements: list[WindowedValue]) -> Share:
        """Work that another process can do."""
        transforms = [step.node.transform for step in self.pardos]
        pardos = [(transform.fn, transform.args, transform.kwargs) for transform in transforms]
        if self.combine is None:
            return Share(elements, pardos)
        coder = key_coder(self.combine.inputs[0], self.combine.label)
        return Share(elements, pardos, self.combine.node.transform.fn, coder)


@dataclass(frozen=True)
class Share:
    """Some of the elements, and all that is done with them.

    Args:
        elements: what comes out of the reshuffle.
        pardos: DoFn, args and kwargs of each step.
        combine: CombineFn at the end, if there is one.
        coder: of its keys.
    """

    elements: list[WindowedValue]
    pardos: list[tuple[beam.DoFn, Any, Any]]
    combine: beam.CombineFn | None = None
    coder: Any = None

    def __call__(self) -> list[list[tuple[Any, Any]]]:
        """Does it; gives each key's accumulator, for each of the elements, and last for what comes at the end."""
        groups = None
        push: Any = _drop
        if self.combine is not None:
            fn = self.combine
            fn.setup()
            groups = Groups(self.coder, fn.create_accumulator, fn.add_input, fn.merge_accumulators)
            push = groups.add
        runners: list[DoFnRunner] = []
        for fn, args, kwargs in reversed(self.pardos):
            receivers = _Receivers(push)
            runner = DoFnRunner(fn, args, kwargs, [], Windowing(GlobalWindows()), tagged_receivers=receivers)
            runner.setup()
            runner.start()
            runners.append(runner)
            push = runner.process
        found = []
        for element in self.elements:
            push(element)
            found.append(drained(groups, self.combine))
        for runner in reversed(runners):
            runner.finish()
        found.append(drained(groups, self.combine))
        for runner in runners:
            runner.finalize()
            runner.teardown()
        if self.combine is not None:
            self.combine.teardown()
        return found


def drained(groups: Groups | None, combine: beam.CombineFn | None) -> list[tuple[Any, Any]]:
    """Every key with its accumulator, of which the groups then know nothing any more."""
    if groups is None or combine is None:
        return []
    return [(key, combine.compact(accumulator)) for key, accumulator in groups.drain()]


class _Receivers(dict[Any, Receiver]):
    """The main output goes on; what goes to a tag is dropped, since nobody has asked for it."""

    def __init__(self, push: Any) -> None:
        super().__init__()
        self[None] = _Receiver(push)

    def __missing__(self, tag: Any) -> Receiver:
        self[tag] = _Receiver(_drop)
        return self[tag]


class _Receiver(Receiver):
    def __init__(self, push: Any) -> None:
        self.receive = push


def _drop(element: WindowedValue) -> None:
    pass
