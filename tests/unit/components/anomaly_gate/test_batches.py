from __future__ import annotations

import pyarrow as pa
import pytest
import tensorflow as tf

from components.anomaly_gate import batches as batches_module
from components.anomaly_gate.batches import read_batches

ROWS = [{"fare": 1.5, "pay": b"Cash"}, {"fare": None, "pay": b"Card"}, {"fare": 2.5, "pay": None}]


def example(row: dict[str, object]) -> bytes:
    message = tf.train.Example()
    for name, value in row.items():
        feature = message.features.feature[name]
        if isinstance(value, float):
            feature.float_list.value.append(value)
        elif isinstance(value, bytes):
            feature.bytes_list.value.append(value)
    return message.SerializeToString()


def write(path, rows):
    options = tf.io.TFRecordOptions(compression_type="GZIP" if path.suffix == ".gz" else "")
    with tf.io.TFRecordWriter(str(path), options) as writer:
        for row in rows:
            writer.write(example(row))


@pytest.fixture
def counted(statistics):
    return statistics({"fare": [1.5, None, 2.5], "pay": [b"Cash", b"Card", None]}).datasets[0]


@pytest.mark.parametrize("name", ["data.gz", "data"])
def test_columns_come_back_in_order(tmp_path, counted, name):
    write(tmp_path / name, ROWS)
    (batch,) = read_batches(str(tmp_path), ["fare", "pay"], counted)
    assert dict(zip(batch.schema.names, batch.columns, strict=True))["fare"].to_pylist() == [[1.5], None, [2.5]]
    assert dict(zip(batch.schema.names, batch.columns, strict=True))["pay"].to_pylist() == [[b"Cash"], [b"Card"], None]


def test_only_the_wanted_columns_are_decoded(tmp_path, counted):
    write(tmp_path / "data.gz", ROWS)
    (batch,) = read_batches(str(tmp_path), ["pay", "not there"], counted)
    assert batch.schema.names == ["pay"]


def test_files_are_read_in_the_order_of_their_names_and_in_batches(tmp_path, counted, monkeypatch):
    monkeypatch.setattr(batches_module, "BATCH_ROWS", 2)
    write(tmp_path / "data-1.gz", ROWS[2:])
    write(tmp_path / "data-0.gz", ROWS)
    found = list(read_batches(str(tmp_path), ["fare"], counted))
    assert [batch.num_rows for batch in found] == [2, 1, 1]
    assert pa.Table.from_batches(found).column("fare").to_pylist() == [[1.5], None, [2.5], [2.5]]
