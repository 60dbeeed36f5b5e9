from __future__ import annotations

import math

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from schemas.features import Text
from schemas.transformed import Tokens
from transforms.column import Column
from transforms.text import text


def tokens(value, **spec):
    """The n-grams of one text."""
    steps = text(Column(tf.constant([value], tf.string), "string"), Text(kind="text", **spec), "x")
    return [token.decode() for token in next(steps).values.numpy()]


def test_ids(kinds):
    # pie 4 times, yum 2, like and i once (the larger word first); 0 is padding.
    assert kinds.output.vocabulary_by_name("review") == [b"pie", b"yum", b"like", b"i"]
    assert kinds.of("review_xf") == [[4, 3, 1, 1], [2, 2, 1, 0], [0] * 4, [0] * 4, [0] * 4, [0] * 4]


def test_model_input_has_padding_vocabulary_and_oov(kinds):
    assert kinds.input("review_xf") == Tokens("review_xf", 6, 4)


def test_ngrams_top_k_and_oov_buckets(kinds):
    # The first row is i, like, pie, pie, pie; the second yum, yum, pie, "yum yum", "yum pie".
    assert kinds.output.vocabulary_by_name("review_pairs") == [b"pie", b"yum"]
    first, second, *rest = kinds.of("review_pairs_xf")
    assert first[2:] == [1, 1, 1]
    assert set(first[:2]) <= {3, 4}
    assert second[:3] == [2, 2, 1]
    assert set(second[3:]) <= {3, 4}
    assert rest == [[0] * 5] * 4
    assert kinds.input("review_pairs_xf") == Tokens("review_pairs_xf", 5, 5)


def test_tf_idf(kinds):
    # Six rows; pie is in 2, yum and like in 1; i has no id and takes the largest idf.
    pie, rare = 1 + math.log(7 / 3), 1 + math.log(7 / 2)
    assert kinds.of("review_weighed_xf")[:2] == [[1, 3, 4], [2, 1, 0]]
    weights = kinds.of("review_weighed_weight_xf")
    assert weights[0] == pytest.approx([3 / 5 * pie, rare / 5, rare / 5])
    assert weights[1] == pytest.approx([2 / 3 * rare, pie / 3, 0.0])
    assert weights[2:] == [[0.0] * 3] * 4


def test_model_input_names_the_weights(kinds):
    assert kinds.input("review_weighed_xf") == Tokens("review_weighed_xf", 5, 3, "review_weighed_weight_xf")


def test_unknown_words_at_serving(kinds):
    assert kinds.serve([{"review": "Quiche? pie"}])["review_xf"].tolist() == [[5, 1, 0, 0]]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Don't PANIC -- 42!", ["don", "t", "panic", "42"]),
        ("Ärger im ΟΔΟΣ", ["ärger", "im", "οδος"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("tab\tnew\nline\u00a0nbsp", ["tab", "new", "line", "nbsp"]),
        ("", []),
        ("--", []),
    ],
)
def test_words(value, expected):
    assert tokens(value) == expected


def test_ngrams_shorter_first():
    assert tokens("a b c", ngrams=(1, 3)) == ["a", "b", "c", "a b", "b c", "a b c"]


def test_text_shorter_than_the_ngram():
    assert tokens("a", ngrams=(2, 2)) == []


def test_bytes_that_are_not_utf8_separate_words():
    assert tokens(b"good\xffpie") == ["good", "pie"]


@given(st.binary(max_size=40))
def test_any_bytes_are_taken(value):
    assert all(token == token.lower() or token for token in tokens(value))
