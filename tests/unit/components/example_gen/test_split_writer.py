from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import tensorflow as tf
from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

from components.example_gen.encode import encode_examples
from components.example_gen.split_writer import SplitWriter, record_batch
from schemas.column_files import column_files, read_column_file

COLUMNS: dict[str, tuple[Any, Any]] = {
    "fare": ("float", pa.array([1.5, None, 1.5, float("nan")], pa.float32()).dictionary_encode()),
    "company": ("string", pa.array(["é", "", None, "é"], pa.string()).dictionary_encode()),
    "trip": ("int", pa.array([None, 2**62, -1, 0], pa.int64()).dictionary_encode()),
    "Z": ("int", pa.array([None] * 4, pa.int64()).dictionary_encode()),
    "empty": ("none", pa.array([None] * 4, pa.string()).dictionary_encode()),
}


def test_missing_values_are_empty_lists() -> None:
    assert record_batch({"trip": COLUMNS["trip"]}).to_pydict() == {"trip": [[], [2**62], [-1], [0]]}


def test_columns_are_those_that_tfx_decodes_from_the_examples(tmp_path: Path) -> None:
    shard = tmp_path / "Split-train" / "data_tfrecord-00000-of-00001.gz"
    examples = encode_examples(COLUMNS)
    with SplitWriter(str(shard)) as writer:
        writer.write(examples, COLUMNS)
        writer.write([], {})
    records = [record.numpy() for record in tf.data.TFRecordDataset(str(shard), "GZIP")]
    assert records == examples
    (file,) = column_files(str(shard.parent))
    (batch,) = read_column_file(file)
    decoded = ExamplesToRecordBatchDecoder().DecodeBatch(records)
    assert batch.schema == decoded.schema
    for column, expected in zip(batch.columns, decoded.columns, strict=True):
        assert str(column) == str(expected)  # NaN does not equal itself


def test_both_forms_or_neither(tmp_path: Path) -> None:
    shard = tmp_path / "Split-train" / "data.gz"
    with pytest.raises(TypeError), SplitWriter(str(shard)) as writer:
        writer.write(encode_examples(COLUMNS), {"absent": ("int", None)})
    with SplitWriter(str(shard)) as writer:
        writer.write(encode_examples(COLUMNS), COLUMNS)
        writer.discard()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
