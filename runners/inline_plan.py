"""In what order the inline runner executes a Beam graph, and what keeps it from doing so."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from apache_beam import Pipeline
from apache_beam.options.pipeline_options import StandardOptions
from apache_beam.pipeline import AppliedPTransform
from apache_beam.pvalue import PCollection
from apache_beam.runners.common import DoFnSignature
from apache_beam.transforms import core
from apache_beam.transforms.external import ExternalTransform
from apache_beam.transforms.trigger import DefaultTrigger
from apache_beam.transforms.window import GlobalWindows, TimestampCombiner

from runners.inline_step import Step, kind_of

# Elements are pushed from step to step by nested calls, and Python limits how deep these may nest.
_DEPTH = 150


@dataclass
class Plan:
    """Steps in levels.

    A step runs at the first level at which its side inputs are complete; a grouping emits one level after it has run.
    Sources start as late as what hangs on them allows, because elements that are early have to be kept.

    Attributes:
        steps: in topological order.
        obstacles: what the inline runner cannot do, one sentence each; with any, nothing may be run.
        emitted: the level at which the elements of each collection flow.
        consumers: steps that a collection is a main input of, once for each time.
        side_until: the last level at which a collection is read as a side input.
    """

    steps: list[Step] = field(default_factory=list)
    obstacles: list[str] = field(default_factory=list)
    emitted: dict[PCollection, int] = field(default_factory=dict)
    consumers: dict[PCollection, list[Step]] = field(default_factory=dict)
    side_until: dict[PCollection, int] = field(default_factory=dict)

    @property
    def levels(self) -> int:
        """How many there are."""
        return max((step.emits for step in self.steps), default=-1) + 1


def make_plan(pipeline: Pipeline) -> Plan:
    """The plan of a pipeline; nothing of it is run."""
    plan = Plan()
    if pipeline.options.view_as(StandardOptions).streaming:
        plan.obstacles.append("it is a streaming pipeline")
    for node in _leaves(pipeline._root_transform(), plan.obstacles):
        kind = kind_of(node)
        if kind is None:
            plan.obstacles.append(f"{node.full_label}: unknown transform {type(node.transform).__name__}")
            continue
        step = Step(node, kind)
        plan.obstacles.extend(f"{step.label}: {reason}" for reason in _obstacles(step))
        plan.steps.append(step)
    makers = {collection: step for step in plan.steps for collection in step.outputs.values()}
    for step in plan.steps:
        if any(given not in makers for given in (*step.inputs, *step.sides)):
            plan.obstacles.append(f"{step.label}: an input from the inside of another transform")
    if not plan.obstacles:
        plan.steps = _in_topological_order(plan.steps, makers)
        _arrange(plan)
    return plan


def _in_topological_order(steps: Sequence[Step], makers: Mapping[PCollection, Step]) -> list[Step]:
    """The order of the graph, but for steps that stand before one that they need: TFT's copies of a source do."""
    ordered: dict[Step, None] = {}
    for last in steps:
        waiting = [last]
        while waiting:
            step = waiting[-1]
            needed = [makers[given] for given in (*step.inputs, *step.sides) if makers[given] not in ordered]
            if needed:
                waiting.extend(reversed(needed))
            else:
                ordered[waiting.pop()] = None
    return list(ordered)


def _leaves(node: AppliedPTransform, obstacles: list[str]) -> Iterator[AppliedPTransform]:
    """What is executed as a whole, in the order in which the pipeline was put together."""
    if isinstance(node.transform, ExternalTransform):
        obstacles.append(f"{node.full_label}: transform of another language")
    elif kind_of(node) is not None:
        yield node
        if kind_of(node) == "read":
            yield from _copies(node, node)
    elif node.parts:
        for part in node.parts:
            yield from _leaves(part, obstacles)
    elif not node.is_composite():
        yield node


def _copies(read: AppliedPTransform, node: AppliedPTransform) -> Iterator[AppliedPTransform]:
    """TFT's deep copies of a source: of its inner transforms, of which those that give elements stand for it."""
    for part in node.parts:
        if isinstance(part.transform, core.ParDo) and ".Copy" in part.full_label:
            stands_for = copy.copy(part)
            stands_for.transform, stands_for.main_inputs = read.transform, {}
            yield stands_for
        yield from _copies(read, part)


def _obstacles(step: Step) -> Iterator[str]:
    for collection in step.outputs.values():
        windowing = collection.windowing
        if windowing.windowfn != GlobalWindows():
            yield f"windows ({type(windowing.windowfn).__name__})"
        elif windowing.triggerfn != DefaultTrigger():
            yield f"trigger ({type(windowing.triggerfn).__name__})"
        elif windowing.timestamp_combiner != TimestampCombiner.OUTPUT_AT_EOW:
            yield "timestamps other than the end of the window"
        if not collection.is_bounded:
            yield "unbounded collection"
    if step.kind != "pardo":
        return
    fn = step.node.transform.fn
    signature = getattr(step.node.transform, "_signature", None) or DoFnSignature(fn)  # costly: hundreds of µs each
    if signature.is_stateful_dofn():
        yield "state or timers"
    if signature.is_splittable_dofn():
        yield "splittable DoFn"
    if _works_on_batches(fn):
        yield "DoFn on batches"


def _works_on_batches(fn: core.DoFn) -> bool:
    return bool(
        getattr(fn, "_process_batch_defined", False)
        or getattr(fn.process, "_beam_yields_batches", False)
        or not getattr(fn, "_process_defined", True)
    )


def _arrange(plan: Plan) -> None:
    consumers: defaultdict[PCollection, list[Step]] = defaultdict(list)
    watchers: defaultdict[PCollection, list[Step]] = defaultdict(list)
    for step in plan.steps:
        for collection in step.inputs:
            consumers[collection].append(step)
        for collection in step.sides:
            watchers[collection].append(step)
    _levels(plan, {})
    latest: dict[Step, int] = {}
    for step in reversed(plan.steps):
        bounds = [latest[consumer] for given in step.outputs.values() for consumer in consumers.get(given, ())]
        bounds += [latest[watcher] - 1 for given in step.outputs.values() for watcher in watchers.get(given, ())]
        latest[step] = min(bounds) - (step.emits - step.level) if bounds else step.level
    _levels(plan, latest)
    plan.consumers = dict(consumers)
    plan.side_until = {given: max(step.level for step in steps) for given, steps in watchers.items()}


def _levels(plan: Plan, sources: dict[Step, int]) -> None:
    """Gives every step the earliest level possible when sources start at the given ones."""
    depths: dict[PCollection, int] = {}
    for step in plan.steps:
        entered = [plan.emitted[given] for given in step.inputs]
        settled = [plan.emitted[given] + 1 for given in step.sides]
        first = sources.get(step, 0) if not step.inputs else 0
        step.level = max((*entered, *settled, first))
        depth = 1 + max((depths[given] for given in step.inputs if plan.emitted[given] == step.level), default=0)
        if depth > _DEPTH:
            step.level += 1
            depth = 1
        for given in step.outputs.values():
            plan.emitted[given] = step.emits
            depths[given] = 0 if step.emits > step.level else depth
