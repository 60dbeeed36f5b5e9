"""The run of a pipeline: its errors, its metrics, a long one, and the same one twice."""

from __future__ import annotations

from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.metrics.metric import Metrics, MetricsFilter

from runners.inline import InlineRunner
from schemas.errors import DataError


class Refusing(beam.DoFn):
    def __init__(self, log: str) -> None:
        self.log = log

    def process(self, element: int) -> None:
        try:
            int("x")
        except ValueError as error:
            raise DataError("Refused.", where="row 1", received=element, fix="Mend it.") from error

    def teardown(self) -> None:
        Path(self.log).write_text("torn down")


def test_an_error_arrives_as_it_was_raised(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(DataError) as caught, beam.Pipeline(runner=InlineRunner(), argv=[]) as pipeline:
        _ = pipeline | beam.Create([7]) | beam.ParDo(Refusing(str(log)))
    assert (caught.value.where, caught.value.received, caught.value.fix) == ("row 1", "7", "Mend it.")
    assert isinstance(caught.value.__cause__, ValueError)
    assert log.read_text() == "torn down"


def test_an_error_in_the_with_block_runs_nothing(tmp_path: Path) -> None:
    def build() -> None:
        with beam.Pipeline(runner=InlineRunner(), argv=[]) as pipeline:
            _ = pipeline | beam.Create([1]) | beam.Map(lambda _: (tmp_path / "ran").touch())
            raise KeyError

    with pytest.raises(KeyError):
        build()
    assert not (tmp_path / "ran").exists()


def _count(element: int) -> int:
    Metrics.counter("test", "elements").inc()
    Metrics.distribution("test", "sizes").update(element)
    return element


def test_metrics() -> None:
    pipeline = beam.Pipeline(runner=InlineRunner(), argv=[])
    _ = pipeline | beam.Create([1, 5]) | beam.Map(_count)
    result = pipeline.run()
    assert result.wait_until_finish() == "DONE"
    found = result.metrics().query(MetricsFilter().with_namespace("test"))
    assert [metric.result for metric in found["counters"]] == [2]
    assert found["distributions"][0].result.max == 5
    assert result.metrics().query(MetricsFilter().with_name("other"))["counters"] == []


@pytest.mark.slow
def test_a_chain_longer_than_pythons_stack() -> None:
    pipeline = beam.Pipeline(runner=InlineRunner(), argv=[])
    last = pipeline | beam.Create([0])
    for place in range(300):
        last |= str(place) >> beam.Map(_plus_one)
    _ = last | "check" >> beam.Map(_is_300)
    pipeline.run()


def _plus_one(number: int) -> int:
    return number + 1


def _is_300(number: int) -> None:
    assert number == 300


def test_a_pipeline_can_be_run_twice(tmp_path: Path) -> None:
    pipeline = beam.Pipeline(runner=InlineRunner(), argv=[])
    log = str(tmp_path / "log")
    _ = pipeline | beam.Create([1, 2]) | beam.CombineGlobally(sum) | beam.Map(_append, log)
    pipeline.run()
    pipeline.run()
    assert Path(log).read_text() == "33"


def _append(element: int, path: str) -> None:
    with open(path, "a") as file:
        file.write(str(element))
