from __future__ import annotations

import tensorflow as tf

from schemas.transformed import Category


def test_hash_of_the_ids(kinds):
    # hour 0, 23, 24, 24, 24, 24 with pay 0, 0, 1, 3, 3, 3.
    joined = ["0,0", "23,0", "24,1", "24,3", "24,3", "24,3"]
    assert kinds.of("hour_pay_xf") == [[x] for x in tf.strings.to_hash_bucket_fast(joined, 1000).numpy().tolist()]


def test_model_input(kinds):
    assert kinds.input("hour_pay_xf") == Category("hour_pay_xf", 1000)
