"""Runs a plan of the inline runner: level by level, elements pushed from step to step by plain calls."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import apache_beam as beam
from apache_beam.io import iobase
from apache_beam.pvalue import PCollection
from apache_beam.runners.common import DoFnRunner
from apache_beam.transforms.combiners import curry_combine_fn
from apache_beam.transforms.core import Windowing
from apache_beam.transforms.sideinputs import SideInputMap
from apache_beam.transforms.window import GlobalWindow, GlobalWindows
from apache_beam.utils.windowed_value import PaneInfo, PaneInfoTiming, WindowedValue

from runners.crew import Crew
from runners.inline_chain import Chain, Share, drained
from runners.inline_copies import Copies
from runners.inline_groups import Groups, key_coder
from runners.inline_plan import Plan
from runners.inline_receivers import Outlet, Push, Receivers, drop
from runners.inline_records import fast_records
from runners.inline_step import Step

_IMPULSE = GlobalWindows.windowed_value(b"")
# As the direct runner stamps what comes out of a grouping.
_GROUPED = WindowedValue(
    None,
    GlobalWindow().max_timestamp(),
    (GlobalWindow(),),
    PaneInfo(is_first=True, is_last=True, timing=PaneInfoTiming.ON_TIME, index=0, nonspeculative_index=0),
)


class Execution:
    """One run of a plan. Elements are kept only where something has to wait for them: side inputs, groupings.

    Args:
        plan: without obstacles.
        crew: other processes, which take their share of the elements wherever a chain of steps follows a reshuffle.
    """

    def __init__(self, plan: Plan, crew: Crew | None = None) -> None:
        self._plan = plan
        self._crew = crew
        self._inlets: dict[Step, Push] = {}
        self._sources: list[Callable[[], None]] = []
        self._runners: list[DoFnRunner] = []
        self._sides: dict[PCollection, list[WindowedValue]] = {given: [] for given in plan.side_until}
        self._waiting: dict[tuple[PCollection, int], deque[WindowedValue]] = {}
        self._groups: dict[Step, Groups] = {}
        self._combines: dict[Step, beam.CombineFn] = {}
        self._copies = Copies(plan.steps)
        chains = (
            [(step, Chain.after(plan, step)) for step in plan.steps if step.kind == "pass"] if crew is not None else []
        )
        self._chains = {step: chain for step, chain in chains if chain is not None}

    def run(self) -> None:
        """Runs all levels.

        Raises:
            Exception: whatever a DoFn or a CombineFn raised, as it is.
        """
        try:
            for level in range(self._plan.levels):
                self._run_level(level)
        except BaseException:
            for runner in self._runners:
                with contextlib.suppress(Exception):  # the first error is the one to tell
                    runner.teardown()
            for combine in self._combines.values():
                with contextlib.suppress(Exception):
                    combine.teardown()
            raise

    def _run_level(self, level: int) -> None:
        self._sources = []
        for step in reversed(self._plan.steps):  # what takes elements is there before what gives them
            if step.level == level:
                self._open(step)
            if step.emits == level and step.kind in ("group", "combine"):
                self._sources.append(self._emit_groups(step))
        for given, late in [key for key in self._waiting if key[1] == level]:
            self._sources.append(self._replay(given, late))
        for source in reversed(self._sources):
            source()
        for runner in reversed(self._runners):
            runner.finish()
        while self._runners:
            runner = self._runners.pop()
            runner.finalize()
            runner.teardown()
        self._inlets.clear()
        for given, until in self._plan.side_until.items():
            if until == level:
                del self._sides[given]

    def _open(self, step: Step) -> None:
        if step.kind == "pardo":
            transform = step.node.transform
            views = [
                SideInputMap(type(view), view._view_options(), self._sides[view.pvalue])
                for view in step.node.side_inputs
            ]
            runner = self._runner(step, self._copies.own(transform.fn), transform.args, transform.kwargs, views)
            self._inlets[step] = runner.process
        elif step.kind == "read":
            reader = self._runner(step, _Read(step.node.transform.source), (), {}, [])
            self._sources.append(lambda: reader.process(_IMPULSE))
        elif step.kind == "impulse":
            push = self._outlet(step.outputs[None], step.level)
            self._sources.append(lambda: push(_IMPULSE))
        elif step.kind == "group":
            coder = key_coder(step.inputs[0], step.label)
            groups = self._groups[step] = Groups(coder, list, _append, _concatenate)
            self._inlets[step] = groups.add
        elif step.kind == "combine":
            self._open_combine(step)
        else:
            push = self._outlet(step.outputs[None], step.level)
            crew, chain = self._crew, self._chains.get(step)
            if crew is None or chain is None:
                self._inlets[step] = push
            else:
                elements: list[WindowedValue] = []
                self._inlets[step] = elements.append
                self._sources.append(lambda: self._share_out(crew, chain, elements, push))

    def _share_out(self, crew: Crew, chain: Chain, elements: list[WindowedValue], push: Push) -> None:
        """Every n-th element for each process of the crew, and for this one too.

        Each element has accumulators of its own, which are merged in the order of the elements: the last digits of a
        sum, and the sketches of quantiles, do not depend on the number of processes.
        """
        count = max(1, min(len(crew) + 1, len(elements)))
        groups = self._groups[chain.combine] if chain.combine else None
        combine = self._combines[chain.combine] if chain.combine else None
        found: dict[int, list[tuple[Any, Any]]] = {}
        try:
            crew.start([Share(elements[place::count], chain.packed) for place in range(1, count)])
            for place in range(0, len(elements), count):
                push(elements[place])
                found[place] = drained(groups, combine)
            for first, (*each, last) in enumerate(crew.results(), 1):
                found.update(zip(range(first, len(elements), count), each, strict=True))
                found[len(elements) + first] = last
        except BaseException:
            crew.close()  # what it still works on would be taken for the next pipeline's
            raise
        for place in sorted(found):
            for key, accumulator in found[place]:
                if groups is not None:
                    groups.join(key, accumulator)

    def _open_combine(self, step: Step) -> None:
        transform = step.node.transform
        fn = self._copies.own(transform.fn)
        if transform.args or transform.kwargs:
            fn = curry_combine_fn(fn, transform.args, transform.kwargs)
        fn.setup()
        self._combines[step] = fn
        coder = key_coder(step.inputs[0], step.label)
        groups = Groups(coder, fn.create_accumulator, fn.add_input, fn.merge_accumulators)
        self._groups[step] = groups
        self._inlets[step] = groups.add

    def _emit_groups(self, step: Step) -> Callable[[], None]:
        push = self._outlet(step.outputs[None], step.emits)
        groups = self._groups.pop(step)

        def emit() -> None:
            if step.kind == "group":
                for pair in groups.drain():
                    push(_GROUPED.with_value(pair))
                return
            fn = self._combines[step]
            for key, accumulator in groups.drain():
                push(_GROUPED.with_value((key, fn.extract_output(fn.compact(accumulator)))))
            del self._combines[step]
            fn.teardown()

        return emit

    def _replay(self, given: PCollection, level: int) -> Callable[[], None]:
        elements = self._waiting.pop((given, level))
        push = _fan([self._inlets[step] for step in self._plan.consumers[given] if step.level == level])

        def replay() -> None:
            while elements:
                push(elements.popleft())

        return replay

    def _runner(self, step: Step, fn: beam.DoFn, args: Any, kwargs: Any, views: list[SideInputMap]) -> DoFnRunner:
        receivers = Receivers({tag: Outlet(self._outlet(given, step.level)) for tag, given in step.outputs.items()})
        # Beam makes a new exception with the step's name in its text where it is given one: an error of ours would
        # lose all but its first sentence.
        runner = DoFnRunner(
            fn, args, kwargs, views, Windowing(GlobalWindows()), tagged_receivers=receivers, step_name=None
        )
        self._runners.append(runner)
        runner.setup()
        runner.start()
        return runner

    def _outlet(self, given: PCollection, level: int) -> Push:
        """Where the elements of a collection go when they flow."""
        consumers = self._plan.consumers.get(given, [])
        targets = [self._inlets[step] for step in consumers if step.level == level]
        if given in self._sides:
            targets.append(self._sides[given].append)
        for late in {step.level for step in consumers if step.level > level}:
            targets.append(self._waiting.setdefault((given, late), deque()).append)
        return _fan(targets)


class _Read(beam.DoFn):
    """Reads a bounded source from its beginning to its end."""

    def __init__(self, source: iobase.BoundedSource) -> None:
        self._source = source

    def process(self, element: bytes) -> Iterator[Any]:
        del element
        yield from fast_records(self._source) or self._source.read(self._source.get_range_tracker(None, None))


def _fan(targets: list[Push]) -> Push:
    if not targets:
        return drop
    if len(targets) == 1:
        return targets[0]

    def push(element: WindowedValue) -> None:
        for target in targets:
            target(element)

    return push


def _append(values: list[Any], value: Any) -> list[Any]:
    values.append(value)
    return values


def _concatenate(lists: list[list[Any]]) -> list[Any]:
    return [value for values in lists for value in values]
