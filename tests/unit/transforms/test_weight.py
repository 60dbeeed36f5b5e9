from __future__ import annotations

import tensorflow as tf

from schemas.transformed import WEIGHT_KEY, model_inputs
from transforms.column import Column
from transforms.weight import weight


def test_missing_weighs_one(kinds):
    assert kinds.of(WEIGHT_KEY) == [[2.0], [0.5], [1.0], [1.0], [1.0], [1.0]]


def test_is_no_input_of_the_model(kinds):
    assert WEIGHT_KEY not in {found.key for found in model_inputs(kinds.output.transformed_metadata.schema)}


def test_infinite_is_one_and_negative_zero():
    column = Column(tf.constant([float("inf"), -3.0]), "float")
    assert weight(column)[WEIGHT_KEY].numpy().tolist() == [[1.0], [0.0]]


def test_whole_numbers():
    assert weight(Column(tf.constant([3], tf.int64), "int"))[WEIGHT_KEY].numpy().tolist() == [[3.0]]
