"""CombineFns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam import pvalue

from tests.unit.runners.inline.engine_results import NoFallback, results


class Mean(beam.CombineFn):
    """Says whether Beam's contract on the life of a CombineFn is kept."""

    ready = False

    def setup(self, *args: Any) -> None:
        assert not self.ready
        self.ready = True

    def create_accumulator(self, *args: Any) -> Any:
        assert self.ready
        return 0, 0

    def add_input(self, accumulator: Any, value: int, *args: Any) -> Any:
        return accumulator[0] + value, accumulator[1] + 1

    def merge_accumulators(self, accumulators: Any, *args: Any) -> Any:
        sums, counts = zip(*accumulators, strict=True)
        return sum(sums), sum(counts)

    def compact(self, accumulator: Any, *args: Any) -> Any:
        return accumulator

    def extract_output(self, accumulator: Any, scale: int = 1) -> Any:
        assert self.ready
        return scale * accumulator[0] / accumulator[1] if accumulator[1] else "empty"

    def teardown(self, *args: Any) -> None:
        assert self.ready
        self.ready = False


@pytest.mark.slow
def test_combines(both: Any) -> None:
    mean = Mean()

    def build(p: beam.Pipeline) -> Any:
        numbers = p | beam.Create([1, 2, 6])
        nothing = p | "nothing" >> beam.Create([])
        pairs = numbers | beam.Map(lambda x: (x % 2, x))
        view = numbers | beam.CombineGlobally(mean).as_singleton_view()
        return {
            "global": numbers | "1" >> beam.CombineGlobally(mean),
            "again": numbers | "2" >> beam.CombineGlobally(mean),
            "empty": nothing | "3" >> beam.CombineGlobally(mean),
            "without": nothing | "4" >> beam.CombineGlobally(mean).without_defaults(),
            "key": pairs | "5" >> beam.CombinePerKey(mean),
            "static": pairs | "6" >> beam.CombinePerKey(mean, 10),
            "hot": pairs | "8" >> beam.CombinePerKey(mean).with_hot_key_fanout(2),
            "fanout": numbers | "9" >> beam.CombineGlobally(mean).with_fanout(3),
            "view": p | "one" >> beam.Create([1]) | beam.Map(lambda x, y: y, view),
            "values": pairs | beam.GroupByKey() | beam.CombineValues(mean),
        }

    assert both(build) == {
        "global": ["3.0"],
        "again": ["3.0"],
        "empty": ["'empty'"],
        "without": [],
        "key": ["(0, 4.0)", "(1, 1.0)"],
        "static": ["(0, 40.0)", "(1, 10.0)"],
        "hot": ["(0, 4.0)", "(1, 1.0)"],
        "fanout": ["3.0"],
        "view": ["3.0"],
        "values": ["(0, 4.0)", "(1, 1.0)"],
    }


def test_combines_with_a_side_input(tmp_path: Path) -> None:
    # Only here: the direct runner raises "too many values to unpack".
    def build(p: beam.Pipeline) -> Any:
        scale = pvalue.AsSingleton(p | "ten" >> beam.Create([10]))
        pairs = p | beam.Create([(0, 2), (1, 1), (0, 6)])
        return {
            "key": pairs | beam.CombinePerKey(Mean(), scale),
            "global": pairs | beam.Values() | beam.CombineGlobally(Mean(), scale).without_defaults(),
        }

    assert results(NoFallback(), build, tmp_path / "inline") == {"key": ["(0, 40.0)", "(1, 10.0)"], "global": ["30.0"]}
