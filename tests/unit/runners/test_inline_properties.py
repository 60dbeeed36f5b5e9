"""Random pipelines give the same elements on the inline engine and on the direct one."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam import pvalue
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runners.inline import InlineRunner
from runners.inline_plan import make_plan

# Name, and which of the collections so far it takes (counted from the newest).
Operation = tuple[str, int, int]
NAMES = (
    "map", "flat_map", "filter", "group", "combine", "combine_all", "flatten", "list", "dict", "distinct",
    "reshuffle", "tagged", "top", "hot", "join",
)  # fmt: skip
operations = st.tuples(st.sampled_from(NAMES), st.integers(0, 4), st.integers(0, 4))


class Split(beam.DoFn):
    """Emits each number, the odd ones to a tag of their own, and at the end their count."""

    def start_bundle(self) -> None:
        self.count = 0

    def process(self, element: int) -> Any:
        self.count += 1
        yield pvalue.TaggedOutput("odd", element) if element % 2 else element


def _apply(name: str, label: str, one: Any, two: Any) -> Any:
    def step(transform: beam.PTransform, suffix: str = "") -> Any:
        return f"{label}{suffix}" >> transform

    pairs = beam.Map(lambda x: (x % 3, x))
    match name:
        case "map":
            return one | step(beam.Map(lambda x: x * 2 + 1))
        case "flat_map":
            return one | step(beam.FlatMap(lambda x: [x] * (x % 3)))
        case "filter":
            return one | step(beam.Filter(lambda x: x % 2))
        case "group":
            groups = one | step(pairs, "k") | step(beam.GroupByKey(), "g")
            return groups | step(beam.FlatMapTuple(lambda k, v: [k, sum(v), len(list(v))]))
        case "combine":
            return one | step(pairs, "k") | step(beam.CombinePerKey(sum), "c") | step(beam.MapTuple(lambda k, v: k + v))
        case "combine_all":
            return one | step(beam.CombineGlobally(sum))
        case "flatten":
            return (one, two) | step(beam.Flatten())
        case "list":
            return one | step(beam.Map(lambda x, xs: x + sum(xs) + len(xs), pvalue.AsList(two)))
        case "dict":
            unique = two | step(pairs, "k") | step(beam.CombinePerKey(max), "c")
            return one | step(beam.Map(lambda x, d: d.get(x % 3, -1), pvalue.AsDict(unique)))
        case "distinct":
            return one | step(beam.Distinct())
        case "reshuffle":
            return one | step(beam.Reshuffle())
        case "tagged":
            parts = one | step(beam.ParDo(Split()).with_outputs("odd", main="even"))
            return (parts.odd, parts.even, parts.odd) | step(beam.Flatten(), "f")
        case "top":
            return one | step(beam.combiners.Top.Of(3), "t") | step(beam.FlatMap(lambda x: x))
        case "hot":
            combined = one | step(pairs, "k") | step(beam.CombinePerKey(sum).with_hot_key_fanout(2), "c")
            return combined | step(beam.Values())
    joined = (one | step(pairs, "1"), two | step(pairs, "2")) | step(beam.CoGroupByKey(), "j")
    return joined | step(beam.MapTuple(lambda k, v: k + 2 * sum(v[0]) + 3 * sum(v[1])))


def _run(runner: Any, numbers: list[int], plan: list[Operation]) -> Counter[tuple[int, ...]]:
    with tempfile.TemporaryDirectory() as folder:
        pipeline = beam.Pipeline(runner=runner, argv=[])
        found = [pipeline | "numbers" >> beam.Create(numbers), pipeline | "nothing" >> beam.Create([])]
        for place, (name, one, two) in enumerate(plan):
            sources = found[-1 - one % len(found)], found[-1 - two % len(found)]
            found.append(_apply(name, f"{place} {name}", *sources))
        tagged = [
            collection | f"tag {place}" >> beam.Map(lambda x, place: (place, x), place)
            for place, collection in enumerate(found)
        ]
        path = Path(folder, "elements")
        _ = tagged | beam.Flatten() | "all" >> beam.combiners.ToList() | "file" >> beam.Map(_write, str(path))
        if isinstance(runner, InlineRunner):
            assert make_plan(pipeline).obstacles == []
        pipeline.run().wait_until_finish()
        return Counter(map(tuple, json.loads(path.read_text())))


def _write(elements: list[tuple[int, int]], path: str) -> None:
    Path(path).write_text(json.dumps(elements))


def test_a_pipeline_whose_result_is_known() -> None:
    plan = [("map", 1, 0), ("combine_all", 0, 0), ("list", 1, 0)]
    assert sorted(_run(InlineRunner(), [1, 2], plan).elements()) == [
        (0, 1), (0, 2),
        (2, 3), (2, 5),
        (3, 8),
        (4, 3 + 8 + 1), (4, 5 + 8 + 1),
    ]  # fmt: skip


@pytest.mark.slow  # the direct engine takes a second for each of these
@settings(max_examples=6)
@given(st.lists(st.integers(-5, 20), max_size=12), st.lists(operations, min_size=3, max_size=7))
@example([3, 1, 4, 1, 5], [(name, 0, 3) for name in NAMES])
def test_the_same_as_direct(numbers: list[int], plan: list[Operation]) -> None:
    assert _run(InlineRunner(), numbers, plan) == _run(FnApiRunner(), numbers, plan)
