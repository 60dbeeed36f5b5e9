"""Timestamps and windows of elements."""

from __future__ import annotations

from typing import Any

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow, TimestampedValue
from apache_beam.utils.timestamp import Timestamp


def test_timestamps(both: Any) -> None:
    def stamp(element: Any, stamp: Any = beam.DoFn.TimestampParam, window: Any = beam.DoFn.WindowParam) -> Any:
        return repr((element, stamp.seconds(), window))

    def build(p: beam.Pipeline) -> Any:
        one = p | beam.Create([1])
        timed = one | beam.Map(lambda x: TimestampedValue(x, Timestamp(5)))
        grouped = timed | beam.Map(lambda x: (x, x)) | beam.GroupByKey() | "key" >> beam.Map(lambda pair: pair[0])
        return {
            "created": one | "1" >> beam.Map(stamp),
            "timed": timed | "2" >> beam.Map(stamp),
            "shuffled": timed | beam.Reshuffle() | "3" >> beam.Map(stamp),
            "grouped": grouped | "4" >> beam.Map(stamp),
        }

    found = both(build)
    assert "(1, 5, GlobalWindow)" in found["shuffled"][0]
    assert str(GlobalWindow().max_timestamp().seconds()) in found["grouped"][0]
