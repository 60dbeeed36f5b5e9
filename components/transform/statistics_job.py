"""The Beam job of a preprocessing_fn's statistics: one pass over the columns, whose datasets can be put together."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam
import tensorflow as tf
from tensorflow_transform import analyzer_nodes
from tfx_bsl.tfxio.tensor_adapter import TensorAdapterConfig

from components.examples.shared_files import shared_files
from components.transform.column_tensors import ColumnTensors, specs_of
from components.transform.one_pass import OnePass, Preprocessing, Values

Accumulators = list[Any]
"""Of one dataset: one for each combiner."""

_FILE = "accumulators.pickle"


def accumulate(
    one_pass: OnePass,
    preprocessing_fn: Preprocessing,
    datasets: Sequence[Sequence[str]],
    config: TensorAdapterConfig,
    folder: str,
    make_pipeline: Callable[[], beam.Pipeline],
) -> list[Accumulators]:
    """What the combiners have of each dataset, before it is put together with that of others.

    Args:
        one_pass: of `preprocessing_fn`.
        preprocessing_fn: workers in other processes trace it again: that takes less than to hand a graph over.
        datasets: for each its column files.
        config: how columns become tensors.
        folder: for temporary files, which all workers reach.
        make_pipeline: gives the Beam pipeline of the engine.
    """
    found: dict[int, Accumulators] = {}
    if datasets and one_pass.combiners:
        result = os.path.join(folder, _FILE)
        files = {file: (number, file) for number, some in enumerate(datasets) for file in some}
        with make_pipeline() as pipeline:
            _ = (
                pipeline
                | "Files" >> shared_files(files)
                | "Inputs" >> beam.ParDo(_Inputs(preprocessing_fn, config, folder, one_pass))
                | "Combine" >> beam.CombineGlobally(_Combine(one_pass.combiners))
                | "Write" >> beam.Map(_write, result)
            )
        with tf.io.gfile.GFile(result, "rb") as file:
            found = pickle.loads(file.read())
    return [found.get(number) or _empty(one_pass.combiners) for number in range(len(datasets))]


def conclude(one_pass: OnePass, several: Sequence[Accumulators]) -> Values:
    """Each statistic's outputs over all rows of some datasets."""
    together = zip(one_pass.combiners, zip(*several, strict=True), strict=True)
    return [
        tuple(combiner.extract_output(combiner.merge_accumulators(accumulators))) for combiner, accumulators in together
    ]


class _Inputs(beam.DoFn):
    """What the combiners take of each batch of a file."""

    def __init__(
        self, preprocessing_fn: Preprocessing, config: TensorAdapterConfig, folder: str, one_pass: OnePass | None = None
    ) -> None:
        self._arguments = (preprocessing_fn, config, folder)
        self._one_pass = one_pass

    def setup(self) -> None:
        preprocessing_fn, config, folder = self._arguments
        if self._one_pass is None:
            self._one_pass = OnePass(preprocessing_fn, specs_of(config), folder)
        self._tensors = ColumnTensors(config, self._one_pass.columns)

    def process(self, element: tuple[int, str]) -> Iterator[tuple[int, Values]]:
        number, path = element
        if self._one_pass is not None:  # `setup` has been called
            for tensors in self._tensors.read(path):
                yield number, self._one_pass.inputs(tensors)

    def __reduce__(self) -> tuple[Any, ...]:
        return _Inputs, self._arguments


class _Combine(beam.CombineFn):
    """All combiners side by side, for each dataset apart; gives the accumulators."""

    def __init__(self, combiners: Sequence[analyzer_nodes.Combiner]) -> None:
        self._combiners = list(combiners)

    def create_accumulator(self) -> dict[int, Accumulators]:
        return {}

    def add_input(self, datasets: dict[int, Accumulators], element: tuple[int, Values]) -> dict[int, Accumulators]:
        number, values = element
        before = datasets.get(number) or _empty(self._combiners)
        together = zip(self._combiners, before, values, strict=True)
        datasets[number] = [combiner.add_input(accumulator, value) for combiner, accumulator, value in together]
        return datasets

    def merge_accumulators(self, several: Iterable[dict[int, Accumulators]]) -> dict[int, Accumulators]:
        parts: dict[int, list[Accumulators]] = {}
        for datasets in several:
            for number, accumulators in datasets.items():
                parts.setdefault(number, []).append(accumulators)
        return {number: self._merged(found) for number, found in parts.items()}

    def compact(self, datasets: dict[int, Accumulators]) -> dict[int, Accumulators]:
        return {
            number: [combiner.compact(accumulator) for combiner, accumulator in zip(self._combiners, some, strict=True)]
            for number, some in datasets.items()
        }

    def extract_output(self, datasets: dict[int, Accumulators]) -> dict[int, Accumulators]:
        return datasets

    def _merged(self, several: Sequence[Accumulators]) -> Accumulators:
        together = zip(self._combiners, zip(*several, strict=True), strict=True)
        return [combiner.merge_accumulators(accumulators) for combiner, accumulators in together]


def _empty(combiners: Iterable[analyzer_nodes.Combiner]) -> Accumulators:
    return [combiner.create_accumulator() for combiner in combiners]


def _write(datasets: dict[int, Accumulators], path: str) -> None:
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write(pickle.dumps(datasets))
