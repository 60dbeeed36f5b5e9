"""The part of a plan that several processes can share: one element after the other, from a reshuffle on."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.internal import pickler
from apache_beam.runners.common import DoFnRunner
from apache_beam.transforms.core import Windowing
from apache_beam.transforms.util import Reshuffle
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.windowed_value import WindowedValue

from runners.inline_groups import Groups, key_coder
from runners.inline_plan import Plan
from runners.inline_receivers import Outlet, Receivers, drop
from runners.inline_step import Step


@dataclass(frozen=True)
class Chain:
    """Steps of which each hands its elements to the next, and to nothing else.

    Args:
        combine: where the elements end; None: what comes out at the end is dropped.
        packed: what the steps do, pickled as it was before any of it was set up: see `Share`.
    """

    combine: Step | None
    packed: bytes

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
                return cls(None, _packed(pardos, None))
            (step,) = consumers
            if step.level != level or step.sides:
                return None
            if step.kind == "combine" and not step.node.transform.args and not step.node.transform.kwargs:
                return cls(step, _packed(pardos, step))
            if step.kind == "pardo":
                pardos.append(step)
            elif step.kind != "pass":
                return None


def _packed(pardos: list[Step], combine: Step | None) -> bytes:
    """Functions and arguments of the steps, the CombineFn and the coder of its keys."""
    transforms = [step.node.transform for step in pardos]
    work = [(transform.fn, transform.args, transform.kwargs) for transform in transforms]
    end = (combine.node.transform.fn, key_coder(combine.inputs[0], combine.label)) if combine else None
    return bytes(pickler.dumps((work, end)))


@dataclass(frozen=True)
class Share:
    """Some of the elements, and all that is done with them.

    Args:
        elements: what comes out of the reshuffle.
        packed: of the chain.
    """

    elements: list[WindowedValue]
    packed: bytes

    def __call__(self) -> list[list[tuple[Any, Any]]]:
        """Does it; gives each key's accumulator, for each of the elements, and last for what comes at the end."""
        pardos, end = pickler.loads(self.packed)
        groups = combine = None
        push: Any = drop
        with contextlib.ExitStack() as torn_down:
            if end is not None:
                combine, coder = end
                combine.setup()
                torn_down.callback(combine.teardown)
                groups = Groups(coder, combine.create_accumulator, combine.add_input, combine.merge_accumulators)
                push = groups.add
            runners: list[DoFnRunner] = []
            for fn, args, kwargs in reversed(pardos):
                receivers = Receivers({None: Outlet(push)})
                runner = DoFnRunner(fn, args, kwargs, [], Windowing(GlobalWindows()), tagged_receivers=receivers)
                runner.setup()
                torn_down.callback(runner.teardown)
                runner.start()
                runners.append(runner)
                push = runner.process
            found = []
            for element in self.elements:
                push(element)
                found.append(drained(groups, combine))
            for runner in reversed(runners):
                runner.finish()
            found.append(drained(groups, combine))
            for runner in runners:
                runner.finalize()
            return found


def drained(groups: Groups | None, combine: beam.CombineFn | None) -> list[tuple[Any, Any]]:
    """Every key with its accumulator, of which the groups then know nothing any more."""
    if groups is None or combine is None:
        return []
    return [(key, combine.compact(accumulator)) for key, accumulator in groups.drain()]
