from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest

from runners.crew import Crew
from runners.inline import InlineRunner
from schemas.errors import DataError


class Sum(beam.CombineFn):
    def create_accumulator(self) -> tuple[int, frozenset[int]]:
        return 0, frozenset()

    def add_input(self, accumulator: tuple[int, frozenset[int]], element: int) -> tuple[int, frozenset[int]]:
        return accumulator[0] + element, accumulator[1] | {os.getpid()}

    def merge_accumulators(self, accumulators: Iterable[tuple[int, frozenset[int]]]) -> tuple[int, frozenset[int]]:
        several = list(accumulators)
        return sum(total for total, _ in several), frozenset().union(*(pids for _, pids in several))

    def extract_output(self, accumulator: tuple[int, frozenset[int]]) -> tuple[int, int]:
        return accumulator[0], len(accumulator[1])


class Name(beam.DoFn):
    """Writes each element to a file of its own, and the process's number into it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ready = False

    def setup(self) -> None:
        self._lock = threading.Lock()  # cannot be pickled
        self._ready = not self._lock.locked()

    def process(self, element: int) -> Iterator[int]:
        if element < 0:
            raise DataError("Negative.", received=element)
        (self._folder / str(element)).write_text(f"{os.getpid()} {self._ready}")
        yield element


@pytest.fixture
def pipeline() -> Iterator[beam.Pipeline]:
    with Crew(1) as crew:
        yield beam.Pipeline(runner=InlineRunner(crew=crew), argv=[])


def collected(folder: Path, collection: Any) -> None:
    collection | "Told" >> beam.Map(lambda value: (folder / "result").write_text(repr(value)))


def test_a_sum_of_two_processes(tmp_path: Path, pipeline: beam.Pipeline) -> None:
    collected(tmp_path, pipeline | beam.Create([1, 2, 3]) | beam.Map(lambda n: 10 * n) | beam.CombineGlobally(Sum()))
    pipeline.run()
    assert (tmp_path / "result").read_text() == "(60, 2)"


class Order(beam.CombineFn):
    """Words in the order in which they are added and merged."""

    def create_accumulator(self) -> str:
        return ""

    def add_input(self, accumulator: str, element: int) -> str:
        return f"{accumulator}{element}"

    def merge_accumulators(self, accumulators: Iterable[str]) -> str:
        return "+".join(accumulators)

    def extract_output(self, accumulator: str) -> str:
        return accumulator


@pytest.mark.parametrize("size", [0, 1, 2, 7])
def test_accumulators_are_merged_in_the_order_of_the_elements_whatever_the_crew(tmp_path: Path, size: int) -> None:
    with Crew(size) as crew, beam.Pipeline(runner=InlineRunner(crew=crew), argv=[]) as pipeline:
        twice = pipeline | beam.Create([1, 2, 3, 4]) | beam.FlatMap(lambda number: [number, number])
        collected(tmp_path, twice | beam.CombineGlobally(Order()))
    assert (tmp_path / "result").read_text() == "'11+22+33+44'"


def test_sums_by_key(tmp_path: Path, pipeline: beam.Pipeline) -> None:
    pairs = pipeline | beam.Create([(1, 1), (1.0, 2), ("a", 3), (1, 4)])
    collected(tmp_path, pairs | beam.CombinePerKey(sum) | beam.Map(repr) | beam.combiners.ToList() | beam.Map(sorted))
    pipeline.run()
    assert eval((tmp_path / "result").read_text()) == ["('a', 3)", "(1, 5)", "(1.0, 2)"]


def test_each_element_is_processed_once(tmp_path: Path, pipeline: beam.Pipeline) -> None:
    _ = pipeline | beam.Create(list(range(6))) | beam.ParDo(Name(tmp_path))
    pipeline.run()
    told = [(tmp_path / str(number)).read_text().split() for number in range(6)]
    assert len({pid for pid, _ in told}) == 2
    assert {ready for _, ready in told} == {"True"}


@pytest.mark.parametrize("place", [0, 1])
def test_an_error_in_either_process(tmp_path: Path, pipeline: beam.Pipeline, place: int) -> None:
    numbers = [1, 2]
    numbers[place] = -1
    _ = pipeline | beam.Create(numbers) | beam.ParDo(Name(tmp_path))
    with pytest.raises(DataError, match="Negative"):
        pipeline.run()


def test_a_pipeline_after_one_that_failed(tmp_path: Path) -> None:
    with Crew(1) as crew:
        for numbers in ([-1, 1, 2, 3], [1, 2, 3, 4]):
            pipeline = beam.Pipeline(runner=InlineRunner(crew=crew), argv=[])
            named = pipeline | beam.Create(numbers) | beam.ParDo(Name(tmp_path))
            collected(tmp_path, named | beam.CombineGlobally(sum))
            with contextlib.suppress(DataError):
                pipeline.run()
    assert (tmp_path / "result").read_text() == "10"


def test_what_is_no_chain_stays_in_this_process(tmp_path: Path, pipeline: beam.Pipeline) -> None:
    numbers = pipeline | beam.Create([1, 2, 3])
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        _ = numbers | name >> beam.ParDo(Name(tmp_path / name))
    pipeline.run()
    assert {path.read_text() for path in tmp_path.glob("*/*")} == {f"{os.getpid()} True"}
