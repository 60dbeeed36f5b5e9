"""DoFns: their life, outputs and side inputs."""

from __future__ import annotations

from typing import Any

import apache_beam as beam
import pytest
from apache_beam import pvalue
from apache_beam.transforms.window import GlobalWindows

from runners.inline import InlineRunner


class Marks(beam.DoFn):
    """Emits its life cycle."""

    def setup(self) -> None:
        self.seen = ["setup"]

    def start_bundle(self) -> None:
        self.seen.append("start")

    def process(self, element: int) -> Any:
        self.seen.append("process")
        yield element
        yield pvalue.TaggedOutput("odd" if element % 2 else "even", element)
        yield pvalue.TaggedOutput("unasked", element)

    def finish_bundle(self) -> Any:
        yield GlobalWindows.windowed_value(-1)
        yield pvalue.TaggedOutput("life", GlobalWindows.windowed_value(tuple(dict.fromkeys(self.seen))))


def test_outputs_and_life_cycle(both: Any) -> None:
    def build(p: beam.Pipeline) -> Any:
        done = p | beam.Create([1, 2], reshuffle=False) | beam.ParDo(Marks()).with_outputs("odd", "even", "life")
        return {"main": done[None], "odd": done.odd, "even": done.even, "life": done.life}

    assert both(build) == {
        "main": ["-1", "1", "2"],
        "odd": ["1"],
        "even": ["2"],
        "life": [repr(("setup", "start", "process"))],
    }


def test_a_bundle_of_nothing_is_still_started_and_finished(both: Any) -> None:
    def build(p: beam.Pipeline) -> Any:
        return {"main": p | beam.Create([]) | beam.ParDo(Marks())}

    assert both(build) == {"main": ["-1"]}


def test_side_inputs(both: Any) -> None:
    def build(p: beam.Pipeline) -> Any:
        main = p | "main" >> beam.Create([1])
        pairs = p | "pairs" >> beam.Create([("a", 1), ("b", 2)])
        nothing = p | "nothing" >> beam.Create([])
        total = main | beam.CombineGlobally(sum)
        return {
            "singleton": main | "1" >> beam.Map(lambda x, y: (x, [y]), pvalue.AsSingleton(total)),
            "default": main | "2" >> beam.Map(lambda x, y: (x, [y]), pvalue.AsSingleton(nothing, 7)),
            "list": main | "3" >> beam.Map(lambda x, y: (x, y), y=pvalue.AsList(pairs)),
            "iter": main | "4" >> beam.Map(lambda x, y: (x, list(y) + list(y)), pvalue.AsIter(pairs)),
            "dict": main | "5" >> beam.Map(lambda x, y: (x, list(y.items())), pvalue.AsDict(pairs)),
            "multimap": main | "6" >> beam.Map(lambda x, y: (x, list(y["a"])), pvalue.AsMultiMap(pairs)),
        }

    found = both(build)
    assert found["singleton"] == ["(1, [1])"]
    assert found["default"] == ["(1, [7])"]
    assert found["dict"] == ["(1, [('a', 1), ('b', 2)])"]


def test_a_singleton_of_two_is_refused() -> None:
    pipeline = beam.Pipeline(runner=InlineRunner(), argv=[])
    two = pipeline | "two" >> beam.Create([1, 2])
    _ = pipeline | beam.Create([0]) | beam.Map(lambda x, y: y, pvalue.AsSingleton(two))
    with pytest.raises(ValueError, match="more than one element accessed as a singleton"):
        pipeline.run()


def test_one_transform_applied_twice_has_two_states(both: Any) -> None:
    twice = beam.ParDo(Marks())

    def build(p: beam.Pipeline) -> Any:
        one = p | beam.Create([1])
        return {"a": one | "a" >> twice, "b": p | "two" >> beam.Create([2]) | "b" >> twice}

    assert both(build) == {"a": ["-1", "1"], "b": ["-1", "2"]}
