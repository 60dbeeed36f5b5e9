from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam import pvalue
from apache_beam.coders import VarIntCoder
from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms import trigger, userstate, window
from apache_beam.transforms.external import ExternalTransform
from apache_beam.transforms.timeutil import TimeDomain

from runners.inline import InlineRunner
from runners.inline_plan import make_plan


class Stateful(beam.DoFn):
    SUM = userstate.ReadModifyWriteStateSpec("sum", VarIntCoder())

    def process(self, element: Any, total: Any = beam.DoFn.StateParam(SUM)) -> Any:  # noqa: B008
        total.write((total.read() or 0) + element[1])
        yield total.read()


class Timed(beam.DoFn):
    TIMER = userstate.TimerSpec("timer", TimeDomain.WATERMARK)

    def process(self, element: Any, timer: Any = beam.DoFn.TimerParam(TIMER)) -> None:  # noqa: B008
        timer.set(1)

    @userstate.on_timer(TIMER)
    def fire(self) -> Any:
        yield 1


class Offsets(beam.RestrictionProvider):
    def initial_restriction(self, element: int) -> OffsetRange:
        return OffsetRange(0, element)

    def create_tracker(self, restriction: OffsetRange) -> OffsetRestrictionTracker:
        return OffsetRestrictionTracker(restriction)

    def restriction_size(self, element: int, restriction: OffsetRange) -> int:
        return int(restriction.size())


OFFSETS = beam.DoFn.RestrictionParam(Offsets())


class Splittable(beam.DoFn):
    def process(self, element: int, tracker: Any = OFFSETS) -> Any:
        place = tracker.current_restriction().start
        while tracker.try_claim(place):
            yield place
            place += 1


class Batches(beam.DoFn):
    def process_batch(self, batch: list[int]) -> Any:
        yield batch

    def get_input_batch_type(self, input_element_type: Any) -> Any:
        return list[int]

    def get_output_batch_type(self, input_element_type: Any) -> Any:
        return list[int]

    def infer_output_type(self, input_type: Any) -> Any:
        return input_type


class Foreign(ExternalTransform):
    def __init__(self) -> None:
        beam.PTransform.__init__(self)

    def expand(self, pvalueish: Any) -> Any:
        return pvalue.PCollection(pvalueish.pipeline)

    def default_label(self) -> str:
        return "Foreign"


class Unknown(beam.PTransform):
    def expand(self, pvalueish: Any) -> Any:
        return pvalue.PCollection(pvalueish.pipeline)


class Unbounded(beam.PTransform):
    def expand(self, pvalueish: Any) -> Any:
        found = pvalueish | beam.Map(lambda x: x)
        found.is_bounded = False
        return found


def _pairs(given: Any) -> Any:
    return given | "pair" >> beam.Map(lambda x: (0, x)).with_output_types(tuple[int, int])


OBSTACLES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "state": ("state or timers", lambda given: _pairs(given) | beam.ParDo(Stateful())),
    "timers": ("state or timers", lambda given: _pairs(given) | beam.ParDo(Timed())),
    "splittable": ("splittable DoFn", lambda given: given | beam.ParDo(Splittable())),
    "batches": (
        "DoFn on batches",
        lambda given: given | "int" >> beam.Map(int).with_output_types(int) | beam.ParDo(Batches()),
    ),
    "windows": ("windows (FixedWindows)", lambda given: given | beam.WindowInto(window.FixedWindows(10))),
    "sessions": ("windows (Sessions)", lambda given: given | beam.WindowInto(window.Sessions(10))),
    "trigger": (
        "trigger (Repeatedly)",
        lambda given: given
        | beam.WindowInto(
            window.GlobalWindows(),
            trigger=trigger.Repeatedly(trigger.AfterCount(1)),
            accumulation_mode=trigger.AccumulationMode.DISCARDING,
        ),
    ),
    "timestamps": (
        "timestamps other than the end of the window",
        lambda given: given
        | beam.WindowInto(window.GlobalWindows(), timestamp_combiner=window.TimestampCombiner.OUTPUT_AT_LATEST),
    ),
    "unbounded": ("unbounded collection", lambda given: given | Unbounded()),
    "foreign": ("transform of another language", lambda given: given | Foreign()),
    "unknown": ("unknown transform Unknown", lambda given: given | Unknown()),
}


@pytest.mark.parametrize("kind", sorted(OBSTACLES))
def test_what_cannot_be_done_is_noticed(kind: str) -> None:
    reason, apply = OBSTACLES[kind]
    pipeline = beam.Pipeline(runner=InlineRunner(), argv=[])
    apply(pipeline | beam.Create([1]))
    assert any(obstacle.endswith(reason) for obstacle in make_plan(pipeline).obstacles)


def test_streaming_is_noticed() -> None:
    pipeline = beam.Pipeline(runner=InlineRunner(), options=PipelineOptions(["--streaming"]))
    _ = pipeline | beam.Impulse()
    assert make_plan(pipeline).obstacles == ["it is a streaming pipeline"]


def _touch(element: Any, path: str) -> Any:
    with open(path, "a") as file:
        file.write("x")
    return element


@pytest.mark.parametrize("kind", ["state", "splittable", "windows", "trigger"])
def test_it_goes_to_the_direct_engine_before_anything_runs(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    reason, apply = OBSTACLES[kind]
    caplog.set_level(logging.WARNING, logger="runners.inline")
    log = tmp_path / "log"
    with beam.Pipeline(runner=InlineRunner(), argv=[]) as pipeline:
        given = pipeline | beam.Create([2])
        _ = given | "before" >> beam.Map(_touch, str(log))
        apply(given)
    assert log.read_text() == "x"
    (record,) = (record for record in caplog.records if record.name == "runners.inline")
    assert record.getMessage().startswith("This pipeline goes to the direct engine: ")
    assert reason in record.getMessage()


def test_more_bytes_than_the_limit_go_to_the_direct_engine(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="runners.inline")
    (tmp_path / "rows").write_text("a\nb\n")
    for limit, count in ((4, 0), (3, 1)):
        pipeline = beam.Pipeline(runner=InlineRunner(limit), argv=[])
        _ = pipeline | beam.io.ReadFromText(str(tmp_path / "rows"))
        pipeline.run()
        assert len([record for record in caplog.records if record.name == "runners.inline"]) == count
    assert "it reads 4 bytes, more than engine.inline_max_bytes (3)" in caplog.text


def _levels(pipeline: beam.Pipeline) -> dict[str, int]:
    return {step.label: step.level for step in make_plan(pipeline).steps}


def test_a_side_input_is_complete_one_level_earlier() -> None:
    pipeline = beam.Pipeline(runner=InlineRunner(), argv=[])
    total = (
        pipeline | "A" >> beam.Impulse() | "L" >> beam.Map(len) | "S" >> beam.CombineGlobally(sum).without_defaults()
    )
    _ = pipeline | "B" >> beam.Impulse() | "U" >> beam.Map(lambda x, y: y, pvalue.AsSingleton(total))
    levels = _levels(pipeline)
    assert levels["S/CombinePerKey"] == 0
    assert levels["U"] == 2


def test_a_source_starts_as_late_as_it_may() -> None:
    pipeline = beam.Pipeline(runner=InlineRunner(), argv=[])
    side = pvalue.AsIter(pipeline | "A" >> beam.Impulse())
    late = pipeline | "B" >> beam.Impulse() | "L" >> beam.Map(len)
    _ = late | "U" >> beam.Map(lambda x, y: x, side)
    assert _levels(pipeline) == {"A": 0, "B": 1, "L": 1, "U": 1}


def test_a_source_that_something_early_needs_starts_early() -> None:
    pipeline = beam.Pipeline(runner=InlineRunner(), argv=[])
    one = pipeline | "A" >> beam.Impulse()
    _ = one | "U" >> beam.Map(lambda x, y: x, pvalue.AsIter(one | "L" >> beam.Map(len)))
    assert _levels(pipeline) == {"A": 0, "L": 0, "U": 1}
