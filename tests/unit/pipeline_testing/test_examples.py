from __future__ import annotations

import tensorflow as tf

from pipeline_testing.examples import decode, encode
from pipeline_testing.rows import to_rows


def test_a_missing_value_is_an_empty_feature() -> None:
    (record, _) = encode(to_rows([{"fare": None, "pay": "Cash"}, {"fare": 1.5}]))
    features = tf.train.Example.FromString(record).features.feature
    assert sorted(features) == ["fare", "pay"]
    assert features["fare"].WhichOneof("kind") == "float_list"
    assert list(features["pay"].bytes_list.value) == [b"Cash"]


def test_rows_come_back_as_they_were() -> None:
    # 0.1 is no float32: what comes back is still what was written down.
    rows = [{"at": 2**62, "fare": 0.1, "pay": "größe", "photo": b"\xff\x00", "several": [1, 2], "nothing": None}]
    assert [decode(record) for record in encode(rows)] == rows
