"""The Beam job that computes the statistics of a preprocessing_fn, in one pass over the columns."""

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

_FILE = "statistics.pickle"


def compute_statistics(
    one_pass: OnePass,
    preprocessing_fn: Preprocessing,
    files: Sequence[str],
    config: TensorAdapterConfig,
    folder: str,
    make_pipeline: Callable[[], beam.Pipeline],
) -> Values:
    """Each statistic's outputs over all rows.

    Args:
        one_pass: of `preprocessing_fn`.
        preprocessing_fn: workers in other processes trace it again: that takes less than to hand a graph over.
        files: column files of the rows.
        config: how columns become tensors.
        folder: for temporary files, which all workers reach.
        make_pipeline: gives the Beam pipeline of the engine.
    """
    if not one_pass.combiners:
        return []
    result = os.path.join(folder, _FILE)
    with make_pipeline() as pipeline:
        _ = (
            pipeline
            | "Files" >> shared_files({file: file for file in files})
            | "Inputs" >> beam.ParDo(_Inputs(preprocessing_fn, config, folder, one_pass))
            | "Combine" >> beam.CombineGlobally(_Combine(one_pass.combiners))
            | "Write" >> beam.Map(_write, result)
        )
    with tf.io.gfile.GFile(result, "rb") as file:
        values: Values = pickle.loads(file.read())
    return values


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

    def process(self, path: str) -> Iterator[Values]:
        if self._one_pass is not None:  # `setup` has been called
            yield from map(self._one_pass.inputs, self._tensors.read(path))

    def __reduce__(self) -> tuple[Any, ...]:
        return _Inputs, self._arguments


class _Combine(beam.CombineFn):
    """All combiners side by side."""

    def __init__(self, combiners: Sequence[analyzer_nodes.Combiner]) -> None:
        self._combiners = list(combiners)

    def create_accumulator(self) -> list[Any]:
        return [combiner.create_accumulator() for combiner in self._combiners]

    def add_input(self, accumulators: list[Any], values: Values) -> list[Any]:
        together = zip(self._combiners, accumulators, values, strict=True)
        return [combiner.add_input(accumulator, value) for combiner, accumulator, value in together]

    def merge_accumulators(self, several: Iterable[list[Any]]) -> list[Any]:
        together = zip(self._combiners, zip(*several, strict=True), strict=True)
        return [combiner.merge_accumulators(accumulators) for combiner, accumulators in together]

    def compact(self, accumulators: list[Any]) -> list[Any]:
        together = zip(self._combiners, accumulators, strict=True)
        return [combiner.compact(accumulator) for combiner, accumulator in together]

    def extract_output(self, accumulators: list[Any]) -> Values:
        together = zip(self._combiners, accumulators, strict=True)
        return [tuple(combiner.extract_output(accumulator)) for combiner, accumulator in together]


def _write(values: Values, path: str) -> None:
    with tf.io.gfile.GFile(path, "wb") as file:
        file.write(pickle.dumps(values))
