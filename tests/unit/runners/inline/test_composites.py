"""Transforms that Beam makes of others, its sources and its sinks."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.transforms.util import WaitOn
from apache_beam.transforms.window import GlobalWindows

from tests.unit.runners.inline.engine_results import NoFallback, results


@pytest.mark.slow
def test_composites_of_beam(both: Any) -> None:
    def build(p: beam.Pipeline) -> Any:
        numbers = p | beam.Create([3, 1, 2, 3])
        left = numbers | "left" >> beam.Map(lambda x: (x, "left"))
        right = numbers | "right" >> beam.Map(lambda x: (x, "right"))
        small, large = numbers | beam.Partition(lambda x, n: int(x > 1), 2)
        joined = {"l": left, "r": right} | beam.CoGroupByKey()
        return {
            "distinct": numbers | beam.Distinct(),
            "top": numbers | beam.combiners.Top.Of(2),
            "small": small,
            "large": large,
            "joined": joined | beam.MapTuple(lambda k, v: (k, len(list(v["l"])) + 10 * len(list(v["r"])))),
            "shuffled": numbers | beam.Reshuffle(),
            "count": numbers | beam.combiners.Count.PerElement(),
            "batches": numbers | beam.BatchElements(4, 4) | beam.Map(len),
            "windowed": numbers | beam.WindowInto(GlobalWindows()),
            "waited": numbers | WaitOn(small),
        }

    found = both(build)
    assert found["top"] == ["[3, 3]"]
    assert found["joined"] == ["(1, 11)", "(2, 11)", "(3, 22)"]
    assert found["batches"] == ["4"]


def test_sources_and_sinks(tmp_path: Path) -> None:
    text, records, empty = tmp_path / "text", tmp_path / "records", tmp_path / "empty"
    with beam.Pipeline(runner=NoFallback(), argv=[]) as p:
        rows = p | beam.Create(["a", "b"])
        _ = rows | beam.io.WriteToText(str(text), num_shards=1)
        _ = rows | beam.Map(str.encode) | beam.io.WriteToTFRecord(str(records), file_name_suffix=".gz")
        _ = p | "none" >> beam.Create([]) | "empty" >> beam.io.WriteToText(str(empty))
    assert (tmp_path / "text-00000-of-00001").read_text() in ("a\nb\n", "b\na\n")
    assert (tmp_path / "empty-00000-of-00001").read_text() == ""
    assert gzip.decompress(next(tmp_path.glob("records*")).read_bytes())
    assert not list(tmp_path.glob("beam-temp*"))

    def build(p: beam.Pipeline) -> Any:
        patterns = p | beam.Create([f"{text}*"])
        return {
            "text": p | beam.io.ReadFromText(f"{text}*"),
            "records": p | beam.io.ReadFromTFRecord(f"{records}*"),
            "all": patterns | beam.io.ReadAllFromText(),
        }

    assert results(NoFallback(), build, tmp_path / "read") == {
        "text": ["'a'", "'b'"],
        "records": ["b'a'", "b'b'"],
        "all": ["'a'", "'b'"],
    }
