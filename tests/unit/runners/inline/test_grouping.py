"""Flatten, and groups by key."""

from __future__ import annotations

from typing import Any

import apache_beam as beam
import numpy as np
import pytest

from runners.inline import InlineRunner


def test_flatten_takes_a_collection_twice_and_none_at_all(both: Any) -> None:
    def build(p: beam.Pipeline) -> Any:
        one = p | beam.Create([1])
        late = one | beam.CombineGlobally(sum)
        return {"twice": (one, one, late) | beam.Flatten(), "none": () | "none" >> beam.Flatten(pipeline=p)}

    assert both(build) == {"twice": ["1", "1", "1"], "none": []}


def test_keys_are_one_when_their_encodings_are(both: Any) -> None:
    keys = [1, True, 1.0, "1", b"1", None, (1, "a"), (True, "a"), [1], float("nan"), float("nan"), 1]

    def build(p: beam.Pipeline) -> Any:
        pairs = p | beam.Create([(key, place) for place, key in enumerate(keys)], reshuffle=False)
        return {"groups": pairs | beam.GroupByKey()}

    assert "(1, [0, 11])" in both(build)["groups"]


def test_keys_of_a_type_come_out_as_that_type(both: Any) -> None:
    def build(p: beam.Pipeline) -> Any:
        pairs = p | beam.Create([(1, 1), (True, 2), (np.int64(1), 3)])
        typed = pairs | beam.Map(lambda pair: pair).with_output_types(tuple[int, int])
        counted = p | "text" >> beam.Create([(np.str_("a"), 1), ("a", 2)])
        text = counted | "typed" >> beam.Map(lambda pair: pair).with_output_types(tuple[str, int])
        return {"int": typed | beam.GroupByKey(), "str": text | "sum" >> beam.CombinePerKey(sum)}

    assert both(build) == {"int": ["(1, [1, 2, 3])"], "str": ["('a', 3)"]}


def test_a_key_without_a_deterministic_encoding_is_refused() -> None:
    pipeline = beam.Pipeline(runner=InlineRunner(), argv=[])
    _ = pipeline | beam.Create([(np.int64(1), 1)]) | beam.GroupByKey()
    with pytest.raises(TypeError, match="deterministically"):
        pipeline.run()
