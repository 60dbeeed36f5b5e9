"""Statistics of the training split, all computed in one pass, whichever features ask for them.

A feature's function is a generator: it yields what it needs (`MomentsOf`, `QuantilesOf`, `VocabularyOf`) and is sent
the answer (`Moments`, boundaries, `Vocabulary`). `answer` collects the questions of all features into one TFT analyzer,
since on Beam the number of analyzers, not their arithmetic, is what costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform import analyzer_nodes, analyzers, nodes
from tensorflow_transform.beam import experimental

from transforms.combiner import (
    EMPTY_VOCABULARY,
    NUMBERS_PER_MOMENTS,
    Combiner,
    Plan,
    QuantilesPlan,
    VocabularyPlan,
)


@dataclass(frozen=True, eq=False)
class MomentsOf:
    """Asks for the `Moments` of a column; `values`: float64 [batch, 1], NaN where missing. Infinities are left out."""

    values: tf.Tensor


@dataclass(frozen=True, eq=False)
class QuantilesOf:
    """Asks for the boundaries, float64 [buckets - 1], between buckets of equal size; `values` as in `MomentsOf`."""

    values: tf.Tensor
    buckets: int


@dataclass(frozen=True, eq=False)
class VocabularyOf:
    """Asks for the `Vocabulary` of some values.

    Args:
        values: string or int64, the present values of the batch: [n], or ragged [batch, (n)], for which
            `Vocabulary.idf` is computed as well. Empty strings are left out.
        name: name of the vocabulary's file among the assets of the transform.
        top_k: keep the most frequent only.
        min_frequency: keep those seen at least so often.
    """

    values: tf.Tensor | tf.RaggedTensor
    name: str
    top_k: int | None = None
    min_frequency: int | None = None

    @property
    def idf(self) -> bool:
        """Whether inverse document frequencies are wanted."""
        return isinstance(self.values, tf.RaggedTensor)


@dataclass(frozen=True, eq=False)
class Moments:
    """Float64 scalars over the present, finite values; all zero when there was none."""

    mean: Any
    variance: Any
    minimum: Any
    maximum: Any


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """A vocabulary of the training split.

    Args:
        path: its file, one value a line.
        size: number of lines, int64 scalar.
        idf: if asked for, inverse document frequencies: float32 [size + 1], the last for values that have no id.
    """

    path: Any
    size: Any
    idf: Any = None


Question = MomentsOf | QuantilesOf | VocabularyOf
Answer = Any
"""`Moments`, boundaries or `Vocabulary`, as the question asks."""


def answer(questions: Sequence[Question]) -> list[Answer]:
    """The answers, in the order of the questions, from one pass over the training split.

    Must be called while TFT traces a preprocessing_fn, as any TFT analyzer.
    """
    if not questions:
        return []
    moments = [question for question in questions if isinstance(question, MomentsOf)]
    quantiles = [question for question in questions if isinstance(question, QuantilesOf)]
    vocabularies = [question for question in questions if isinstance(question, VocabularyOf)]
    plan, inputs = _plan(moments, quantiles, vocabularies)
    numbers, lines, *idfs = analyzers.apply_cacheable_combine_operation(Combiner(plan), *inputs)
    paths = _written(lines, vocabularies)
    wrapped = iter([analyzer_nodes.wrap_as_tensor(idf) for idf in idfs])
    lengths = [
        *[NUMBERS_PER_MOMENTS] * len(moments),
        *[question.buckets - 1 for question in quantiles],
        *[1] * len(vocabularies),
    ]
    parts = iter(tf.split(analyzer_nodes.wrap_as_tensor(numbers), lengths))
    answers: dict[int, Answer] = {}
    for asked in moments:
        answers[id(asked)] = Moments(*tf.unstack(next(parts)))
    for cut in quantiles:
        answers[id(cut)] = next(parts)
    for vocabulary, path in zip(vocabularies, paths, strict=True):
        size = tf.cast(next(parts)[0], tf.int64)
        answers[id(vocabulary)] = Vocabulary(path, size, next(wrapped) if vocabulary.idf else None)
    return [answers[id(question)] for question in questions]


def _plan(
    moments: Sequence[MomentsOf], quantiles: Sequence[QuantilesOf], vocabularies: Sequence[VocabularyOf]
) -> tuple[Plan, list[tf.Tensor]]:
    columns = [question.values for question in moments]
    cuts = []
    for question in quantiles:
        # Features that cut the same column share it.
        places = [place for place in range(len(moments), len(columns)) if columns[place] is question.values]
        if not places:
            places = [len(columns)]
            columns.append(question.values)
        cuts.append(QuantilesPlan(places[0], question.buckets))
    matrix = tf.concat(columns, axis=1) if columns else tf.zeros([0, 0], tf.float64)
    plans, inputs = [], [matrix]
    for vocabulary in vocabularies:
        dtype = "string" if vocabulary.values.dtype == tf.string else "int"
        plans.append(VocabularyPlan(dtype, vocabulary.top_k, vocabulary.min_frequency, vocabulary.idf))
        inputs += _counted(vocabulary)
    return Plan(len(moments), tuple(cuts), tuple(plans)), inputs


def _counted(vocabulary: VocabularyOf) -> list[tf.Tensor]:
    """The batch's distinct values, how often each occurs and, for idf, in how many of how many rows."""
    if not vocabulary.idf:
        distinct, _, counts = tf.unique_with_counts(vocabulary.values, out_idx=tf.int64)
        return [distinct, counts]
    distinct, index, counts = tf.unique_with_counts(vocabulary.values.values, out_idx=tf.int64)
    size = tf.maximum(tf.size(distinct, out_type=tf.int64), 1)
    pairs, _ = tf.unique(vocabulary.values.value_rowids() * size + index)
    documents = tf.math.unsorted_segment_sum(tf.ones_like(pairs), pairs % size, tf.size(distinct))
    return [distinct, counts, documents, vocabulary.values.nrows()]


def _written(lines: Any, vocabularies: Sequence[VocabularyOf]) -> list[Any]:
    if not vocabularies:
        return []
    names: list[str] = []
    infos = []
    for question in vocabularies:
        name = analyzers.sanitized_vocab_filename(filename=question.name)
        # Different features may have the same file name once it is made safe.
        name += f"-{len(names)}" if name in names else ""
        names.append(name)
        placeholder = EMPTY_VOCABULARY["string" if question.values.dtype == tf.string else "int"]
        asset = analyzer_nodes.TemporaryAssetInfo(placeholder, "text")
        infos.append(analyzer_nodes.TensorInfo(tf.string, [], asset))
        tft.annotate_asset(question.name, name)
    written = nodes.apply_multi_output_operation(
        analyzer_nodes.PTransform,
        lines,
        ptransform=WriteVocabularies(names),
        output_tensor_info_list=infos,
        is_partitionable=False,
    )
    return [analyzer_nodes.wrap_as_tensor(path) for path in written]


class WriteVocabularies(experimental.PTransformAnalyzer):
    """Writes each vocabulary to a text file, one value a line, and gives the files' paths.

    Args:
        names: of the files.
    """

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = list(names)

    def expand(self, pcoll: Any) -> Any:
        """A PCollection of one list of vocabularies becomes one PCollection for each path."""
        keys = [str(place) for place in range(len(self.names))]
        written = pcoll | beam.FlatMap(_write, self.base_temp_dir, self.names).with_outputs(*keys)
        return tuple(written[key] for key in keys)

    @staticmethod
    def write(lines: Sequence[bytes], folder: str, name: str) -> str:
        """Writes one of them, whose path it gives."""
        tf.io.gfile.makedirs(folder)
        path = f"{folder}/{name}"
        with tf.io.gfile.GFile(path, "wb") as file:
            file.write(b"".join(line + b"\n" for line in lines))
        return path


def _write(vocabularies: Sequence[Sequence[bytes]], folder: str, names: Sequence[str]) -> Any:
    for place, (lines, name) in enumerate(zip(vocabularies, names, strict=True)):
        yield beam.pvalue.TaggedOutput(str(place), np.array(WriteVocabularies.write(lines, folder, name)))
