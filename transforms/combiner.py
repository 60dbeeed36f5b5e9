"""The arithmetic of the one pass over the training data: moments, quantiles and vocabularies, in NumPy.

Beam counts its cost in stages, so a table's statistics are one combiner with one accumulator rather than one of each a
feature. Moments use the pairwise update of Chan, Golub and LeVeque (1979), which loses no digits when means are far
from 0; quantiles use the sketch of Zhang and Wang (SSDBM 2007) that ships with TFX.
"""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow as tf
from tensorflow_transform import analyzer_nodes
from tfx_bsl import sketches

NUMBERS_PER_MOMENTS = 4
"""Mean, variance, minimum and maximum."""
EMPTY_VOCABULARY = {"string": b"49d0cd50-04bb-48c0-bc6f-5b575dce351a", "int": b"-1"}
"""A vocabulary file must not be empty; this line, TFT's own, stands for a column without a value."""

_EXPECTED_ROWS = 1 << 32


@dataclass(frozen=True)
class QuantilesPlan:
    """Which column of the numbers matrix is cut into how many buckets of equal size."""

    column: int
    buckets: int


@dataclass(frozen=True)
class VocabularyPlan:
    """Which values of a column get an id: the `top_k` most frequent of those seen at least `min_frequency` times."""

    dtype: str
    top_k: int | None
    min_frequency: int | None
    documents: bool


@dataclass(frozen=True)
class Plan:
    """What one pass computes.

    The combiner's input is: a float64 matrix [batch, columns] with NaN for missing, whose first `moments` columns need
    moments; then for each vocabulary the distinct values of the batch and their counts, and, where `documents` is set,
    the number of rows that hold each value and the number of rows.
    """

    moments: int
    quantiles: tuple[QuantilesPlan, ...] = ()
    vocabularies: tuple[VocabularyPlan, ...] = ()

    @property
    def numbers(self) -> int:
        """Length of the vector of numbers in the result: moments, boundaries, sizes of the vocabularies."""
        boundaries = sum(plan.buckets - 1 for plan in self.quantiles)
        return NUMBERS_PER_MOMENTS * self.moments + boundaries + len(self.vocabularies)


class _Moments:
    """Count, mean, sum of squared deviations, minimum and maximum of the finite values in each column."""

    def __init__(self, columns: int) -> None:
        self.count = np.zeros(columns)
        self.mean = np.zeros(columns)
        self.squares = np.zeros(columns)
        self.minimum = np.full(columns, np.inf)
        self.maximum = np.full(columns, -np.inf)

    @staticmethod
    def of(matrix: np.ndarray[Any, Any]) -> _Moments:
        found = _Moments(matrix.shape[1])
        finite = np.isfinite(matrix)
        found.count = finite.sum(axis=0).astype(np.float64)
        found.mean = np.where(finite, matrix, 0.0).sum(axis=0) / np.maximum(found.count, 1.0)
        found.squares = (np.where(finite, matrix - found.mean, 0.0) ** 2).sum(axis=0)
        found.minimum = np.where(finite, matrix, np.inf).min(axis=0, initial=np.inf)
        found.maximum = np.where(finite, matrix, -np.inf).max(axis=0, initial=-np.inf)
        return found

    def merge(self, other: _Moments) -> None:
        total = self.count + other.count
        share = other.count / np.maximum(total, 1.0)
        delta = other.mean - self.mean
        self.squares += other.squares + delta * delta * self.count * share
        self.mean += delta * share
        self.count = total
        self.minimum = np.minimum(self.minimum, other.minimum)
        self.maximum = np.maximum(self.maximum, other.maximum)

    def result(self) -> np.ndarray[Any, Any]:
        """[columns * 4]; zeros for a column without a finite value."""
        seen = self.count > 0
        # A constant's mean may be an ulp off: without this its variance would be a rounding error to divide by.
        varies = self.maximum > self.minimum
        variance = np.where(varies, self.squares / np.maximum(self.count, 1.0), 0.0)
        mean = np.where(varies, self.mean, self.minimum)
        rows = np.where(seen, np.stack([mean, variance, self.minimum, self.maximum]), 0.0)
        return rows.T.reshape(-1)


class Accumulator:
    """Everything one pass has seen so far."""

    def __init__(self, plan: Plan) -> None:
        self.moments = _Moments(plan.moments)
        self.quantiles = [_sketch(quantiles.buckets) for quantiles in plan.quantiles]
        self.counts: list[Counter[Any]] = [Counter() for _ in plan.vocabularies]
        self.documents: list[Counter[Any]] = [Counter() for _ in plan.vocabularies]
        self.rows = [0] * len(plan.vocabularies)


class Combiner(analyzer_nodes.Combiner):
    """Computes a `Plan`, as TFT's combiners do, with an accumulator that TFT's analyzer cache can keep."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def __repr__(self) -> str:
        return f"Combiner({self._plan})"

    def create_accumulator(self) -> Accumulator:
        """An accumulator that has seen nothing."""
        return Accumulator(self._plan)

    def add_input(self, accumulator: Accumulator, batch_values: Sequence[np.ndarray[Any, Any]]) -> Accumulator:
        """Adds one batch, laid out as `Plan` says."""
        inputs = iter(batch_values)
        matrix = next(inputs)
        accumulator.moments.merge(_Moments.of(matrix[:, : self._plan.moments]))
        for sketch, quantiles in zip(accumulator.quantiles, self._plan.quantiles, strict=True):
            column = matrix[:, quantiles.column]
            sketch.AddValues(pa.array(column[np.isfinite(column)]))
        for index, vocabulary in enumerate(self._plan.vocabularies):
            values = next(inputs).tolist()
            _add(accumulator.counts[index], values, next(inputs))
            if vocabulary.documents:
                _add(accumulator.documents[index], values, next(inputs))
                accumulator.rows[index] += int(next(inputs))
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[Accumulator]) -> Accumulator:
        """One accumulator that has seen what they all have."""
        result = self.create_accumulator()
        for other in accumulators:
            result.rows = [mine + theirs for mine, theirs in zip(result.rows, other.rows, strict=True)]
            result.moments.merge(other.moments)
            for mine, theirs in zip(result.quantiles, other.quantiles, strict=True):
                mine.Merge(theirs)
            for counts, more in zip(result.counts + result.documents, other.counts + other.documents, strict=True):
                counts.update(more)
        return result

    def compact(self, accumulator: Accumulator) -> Accumulator:
        """The same, smaller, before it travels."""
        for sketch in accumulator.quantiles:
            sketch.Compact()
        return accumulator

    def extract_output(self, accumulator: Accumulator) -> list[Any]:
        """The vector of numbers, the lines of each vocabulary, and each vocabulary's inverse document frequencies.

        The order of a vocabulary is TFT's: most frequent first, equal counts by the larger value first. Inverse
        document frequency is 1 + log((rows + 1) / (rows with the value + 1)), as in tft.tfidf; the vector has one entry
        for each line and a last one, the largest, for values that have no id.
        """
        numbers = [accumulator.moments.result()]
        for sketch, quantiles in zip(accumulator.quantiles, self._plan.quantiles, strict=True):
            numbers.append(_boundaries(sketch, quantiles.buckets))
        lines: list[list[bytes]] = []
        frequencies: list[np.ndarray[Any, Any]] = []
        for index, plan in enumerate(self._plan.vocabularies):
            values = _ordered(accumulator.counts[index], plan)
            if plan.documents:
                seen = np.array([accumulator.documents[index][value] for value in values] or [0], np.float64)
                idf = 1.0 + np.log((accumulator.rows[index] + 1.0) / (seen + 1.0))
                frequencies.append(np.append(idf, idf.max()).astype(np.float32))
            text = [value if isinstance(value, bytes) else str(value).encode() for value in values]
            lines.append(text or [EMPTY_VOCABULARY[plan.dtype]])
        sizes = np.array([len(text) for text in lines], np.float64)
        return [np.concatenate([*numbers, sizes]), lines, *frequencies]

    def output_tensor_infos(self) -> list[analyzer_nodes.TensorInfo]:
        """Types of what `extract_output` gives; the lines never become a tensor, they are written to files."""
        info = analyzer_nodes.TensorInfo
        idfs = sum(plan.documents for plan in self._plan.vocabularies)
        return [
            info(tf.float64, [self._plan.numbers], None),
            info(tf.string, None, None),
            *[info(tf.float32, [None], None)] * idfs,
        ]

    @property
    def accumulator_coder(self) -> _Coder:
        """How TFT's analyzer cache keeps an accumulator."""
        return _Coder()


class _Coder(analyzer_nodes.CacheCoder):
    """Pickle, as TFT's own coder for quantile sketches: the cache is read by the pipeline that wrote it only."""

    def encode_cache(self, accumulator: Accumulator) -> bytes:
        return pickle.dumps(accumulator)

    def decode_cache(self, encoded_accumulator: bytes) -> Accumulator:
        found: Accumulator = pickle.loads(encoded_accumulator)
        return found


def _sketch(buckets: int) -> Any:
    return sketches.QuantilesSketch(min(0.1 / buckets, 0.001), _EXPECTED_ROWS, 1)


def _boundaries(sketch: Any, buckets: int) -> np.ndarray[Any, Any]:
    found = sketch.GetQuantiles(buckets).to_pylist()
    return np.array(found[0][1:-1], np.float64) if found else np.zeros(buckets - 1)


def _add(counter: Counter[Any], values: list[Any], counts: np.ndarray[Any, Any]) -> None:
    for value, count in zip(values, counts.tolist(), strict=True):
        counter[value] += count


def _ordered(counts: Counter[Any], plan: VocabularyPlan) -> list[Any]:
    kept = [
        (count, value) for value, count in counts.items() if count >= (plan.min_frequency or 1) and _is_a_line(value)
    ]
    kept.sort(reverse=True)
    return [value for _, value in kept[: plan.top_k]]


def _is_a_line(value: Any) -> bool:
    # The vocabulary is a text file, one value a line.
    return not isinstance(value, bytes) or (value != b"" and b"\n" not in value and b"\r" not in value)
