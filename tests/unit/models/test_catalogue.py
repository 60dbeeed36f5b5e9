from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from configs.towers import Towers
from models.catalogue import Catalogue, candidate_inputs, identity_of
from models.input_fn import Split
from schemas.errors import TrainingError
from schemas.transformed import LABEL_KEY, Category, Dense, Tokens

ITEM = Category("item_xf", 5)
INPUTS = (ITEM, Dense("price_xf", 1))
COLUMNS = {
    "item_xf": np.array([[3], [0], [3], [4], [1]]),
    "price_xf": np.array([[30.0], [1.0], [30.0], [4.0], [10.0]]),
    LABEL_KEY: np.array([[1.0], [0.0], [1.0], [1.0], [0.0]]),
}


def test_each_candidate_once_in_the_order_of_the_ids() -> None:
    # Id 4 has no name: it stands for unknown values.
    split = Split((), {}, COLUMNS[LABEL_KEY].ravel(), COLUMNS)
    found = Catalogue.of(split, INPUTS, np.array([b"a", b"b", b"c", b"d"]), ITEM)
    assert found.ids.tolist() == [0, 1, 3]
    assert found.names.tolist() == [b"a", b"b", b"d"]
    assert found.columns["price_xf"].tolist() == [[1.0], [10.0], [30.0]]
    assert found.wanted.tolist() == [0, 0, 2]
    assert found.counts.tolist() == [1, 1, 0, 2, 1]


TOWERS = Towers(candidate=("item", "price"))
ALL = (Tokens("recent_xf", 9, 2), *INPUTS, Dense("price_missing_xf", 1), Dense("prices_xf", 1))


def test_the_inputs_of_the_candidate() -> None:
    assert [one.key for one in candidate_inputs(ALL, TOWERS)] == ["item_xf", "price_xf", "price_missing_xf"]


def test_the_first_feature_names_the_candidate() -> None:
    assert identity_of(candidate_inputs(ALL, TOWERS), TOWERS) == ITEM


def test_a_candidate_without_an_id() -> None:
    towers = Towers(candidate=("price", "item"))
    with pytest.raises(TrainingError, match=r"(?s)did not become the category 'price_xf'.*Received: item_xf, price_xf"):
        identity_of(candidate_inputs(ALL, towers), towers)


def test_rows_that_are_not_in_memory(tmp_path: object) -> None:
    path = f"{tmp_path}/rows.gz"
    with tf.io.TFRecordWriter(path, "GZIP") as writer:
        for item, price, label in zip(*(values.ravel() for values in COLUMNS.values()), strict=True):
            example = tf.train.Example()
            example.features.feature["item_xf"].int64_list.value.append(item)
            example.features.feature["price_xf"].float_list.value.append(price)
            example.features.feature[LABEL_KEY].float_list.value.append(label)
            writer.write(example.SerializeToString())
    types = {"item_xf": tf.int64, "price_xf": tf.float32, LABEL_KEY: tf.float32}
    spec = {key: tf.io.FixedLenFeature([1], dtype) for key, dtype in types.items()}
    found = Catalogue.of(Split.open([path], spec, cache=False), INPUTS, np.arange(4), ITEM)
    assert (found.ids.tolist(), found.wanted.tolist()) == ([0, 1, 3], [0, 0, 2])
