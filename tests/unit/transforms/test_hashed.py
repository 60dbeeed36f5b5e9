from __future__ import annotations

import tensorflow as tf

from schemas.features import Hashed
from schemas.transformed import Category
from transforms.column import Column
from transforms.hashed import hashed


def test_ids(kinds):
    # Fingerprints never change: these ids were computed once and are part of saved models.
    assert kinds.of("pay_hash_xf") == [[4], [4], [8], [10], [10], [10]]


def test_whole_numbers_are_hashed_as_digits(kinds):
    digits = tf.strings.to_hash_bucket_fast([str(2**62 + 1), str(2**62)], 10).numpy().tolist()
    assert kinds.of("account_hash_xf") == [[digits[0]], [digits[0]], [digits[1]], [10], [10], [10]]


def test_model_input_has_an_id_for_missing(kinds):
    assert kinds.input("pay_hash_xf") == Category("pay_hash_xf", 11)


def test_dense_column():
    column = Column(tf.constant([b"Cash", b""]), "string")
    assert hashed(column, Hashed(kind="hashed", buckets=10), "x")["x_xf"].numpy().tolist() == [[4], [10]]
