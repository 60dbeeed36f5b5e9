"""A value looked up in the vocabulary of the training split."""

from __future__ import annotations

from collections.abc import Generator

import tensorflow as tf
import tensorflow_transform as tft

from schemas.features import Categorical
from schemas.transformed import transformed_name
from transforms.column import Column, with_domain
from transforms.statistics import Vocabulary, VocabularyOf


def categorical(
    values: Column, spec: Categorical, name: str
) -> Generator[VocabularyOf, Vocabulary, dict[str, tf.Tensor]]:
    """The id of a value in the vocabulary of the training split.

        id = 0..size-1               the vocabulary, the most frequent value first
             size..size+oov-1        any other value, by its hash (oov = `oov_buckets`)
             size+oov                missing

    Only present values are counted. The vocabulary is the text file NAME among the assets of the transform
    (`TFTransformOutput.vocabulary_by_name(NAME)`), so a string with a line break in it has no id of its own. Missing is
    a value of its own rather than an unknown one: that nothing was given often says something. Counting takes memory
    for each distinct value; for columns with tens of millions of them use kind: hashed.

    Args:
        values: string or int64 column; whole numbers are compared as such, all 64 bits.
        spec: top_k, min_frequency and oov_buckets.
        name: the feature's name.

    Returns:
        `NAME_xf`: int64 [batch, 1], the model's Category.

    Source: tft.vocabulary, whose order this is.

    >>> spec = Categorical(kind="categorical")
    >>> steps = categorical(Column(tf.constant(["Cash", ""]), "string"), spec, "payment_type")
    >>> next(steps).values.numpy().tolist()
    [b'Cash']
    """
    vocabulary = yield VocabularyOf(values.known, name, top_k=spec.top_k, min_frequency=spec.min_frequency)
    ids = tft.apply_vocabulary(values.values, vocabulary.path, num_oov_buckets=spec.oov_buckets)
    missing = vocabulary.size + spec.oov_buckets
    ids = tf.where(values.present, ids, missing)
    return {transformed_name(name): with_domain(ids, missing + 1)}
