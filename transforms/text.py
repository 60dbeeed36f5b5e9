"""Free text as a fixed number of token ids."""

from __future__ import annotations

from collections.abc import Generator

import tensorflow as tf
import tensorflow_transform as tft

from schemas.features import Text
from schemas.transformed import transformed_name, weights_name
from transforms.column import Column, with_domain
from transforms.statistics import Vocabulary, VocabularyOf

_NO_LETTER_OR_DIGIT = r"[^\p{L}\p{M}\p{N}]+"
"""Marks (vowel signs, accents written apart) belong to the letter before them."""
_PADDING = 0


def text(values: Column, spec: Text, name: str) -> Generator[VocabularyOf, Vocabulary, dict[str, tf.Tensor]]:
    """Token ids of free text: lower-cased, split on what is neither letter nor digit (in any script), then n-grams.

        id = 0                        padding
             1..size                  the vocabulary, the most frequent n-gram first
             size+1..size+oov         any other n-gram, by its hash (oov = `oov_buckets`)

    Without weights, a row's n-grams stand in the order of the text, shorter ones first, cut or padded at `length`.

    With `tf_idf` a row's ids are distinct and the most telling come first (equal weights by id):

        weight = count of the id in the row / n-grams in the row * idf
        idf = 1 + log((rows + 1) / (rows with the n-gram + 1))

    over all rows of the training split, empty ones too; ids outside the vocabulary take the largest idf in it. Missing
    text, and text without a letter or digit, is all padding. Bytes that are not UTF-8 separate words.

    Args:
        values: string column.
        spec: ngrams, top_k, min_frequency, oov_buckets, length and weights.
        name: the feature's name, also that of the vocabulary file among the assets.

    Returns:
        `NAME_xf`: int64 [batch, length], the model's Tokens; with `tf_idf`, `NAME_weight_xf` as well: float32
        [batch, length], 0 on padding.

    Source: the weights are those of tft.tfidf; Manning, Raghavan and Schütze, Introduction to Information Retrieval,
    section 6.2.

    >>> spec = Text(kind="text", length=3)
    >>> steps = text(Column(tf.constant(["Good, good pie!"]), "string"), spec, "review")
    >>> next(steps).values.numpy().tolist()
    [b'good', b'good', b'pie']
    """
    grams = _ngrams(_words(values.values), spec.ngrams)
    weighted = spec.weights == "tf_idf"
    vocabulary = yield VocabularyOf(
        grams if weighted else grams.values,
        name,
        top_k=spec.top_k,
        min_frequency=spec.min_frequency,
    )
    ids = 1 + tft.apply_vocabulary(grams.values, vocabulary.path, num_oov_buckets=spec.oov_buckets)
    tokens = grams.with_values(ids)
    size = 1 + vocabulary.size + spec.oov_buckets
    outputs = {}
    if weighted:
        tokens, weights = _tf_idf(tokens, vocabulary, size)
        outputs[weights_name(name)] = weights.to_tensor(0.0, shape=[None, spec.length])
    padded = tokens.to_tensor(_PADDING, shape=[None, spec.length])
    outputs[transformed_name(name)] = with_domain(padded, size)
    return outputs


def _words(column: tf.Tensor) -> tf.RaggedTensor:
    valid = tf.strings.unicode_transcode(tf.reshape(column, [-1]), "UTF-8", "UTF-8")
    lower = tf.strings.lower(valid, encoding="utf-8")
    return tf.strings.split(tf.strings.regex_replace(lower, _NO_LETTER_OR_DIGIT, " "))


def _ngrams(words: tf.RaggedTensor, widths: tuple[int, int]) -> tf.RaggedTensor:
    if widths == (1, 1):
        return words
    return tf.strings.ngrams(words, tuple(range(widths[0], widths[1] + 1)), separator=" ")


def _tf_idf(
    tokens: tf.RaggedTensor, vocabulary: Vocabulary, size: tf.Tensor
) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """Each row's distinct ids and their weights, the largest weight first."""
    rows = tokens.nrows(out_type=tf.int64)
    keys = tf.sort(tokens.value_rowids() * size + tokens.values)
    distinct, _, counts = tf.unique_with_counts(keys)
    row, token = distinct // size, distinct % size
    # Ids start at 1, and every one outside the vocabulary shares the last entry of idf.
    idf = tf.gather(vocabulary.idf, tf.minimum(token - 1, tf.size(vocabulary.idf, tf.int64) - 1))
    lengths = tf.gather(tokens.row_lengths(), row)
    weights = tf.cast(counts, tf.float32) / tf.cast(lengths, tf.float32) * idf
    # Two stable sorts: by weight, then by row; equal weights keep the order of their ids.
    order = tf.argsort(weights, direction="DESCENDING", stable=True)
    order = tf.gather(order, tf.argsort(tf.gather(row, order), stable=True))
    partition = tf.RaggedTensor.from_value_rowids(tf.gather(token, order), tf.gather(row, order), rows, validate=False)
    return partition, partition.with_values(tf.gather(weights, order))
