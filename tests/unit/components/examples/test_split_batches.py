"""Batches of a split, read from column files or from examples."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.types import artifact_utils, standard_artifacts

from components.examples.split_batches import SplitBatches
from pipeline_testing.examples import encode, write
from runners.inline import InlineRunner
from schemas.column_files import ColumnFileWriter, column_file
from schemas.errors import DataError

ROWS = [{"age": 1, "name": "a"}, {"age": 2, "name": None}]
COLUMNS = pa.RecordBatch.from_pydict(
    {"age": pa.array([[3]], pa.large_list(pa.int64())), "name": pa.array([[]], pa.large_list(pa.large_binary()))}
)


@pytest.fixture
def examples(tmp_path: Path) -> Any:
    """Two rows in one shard, without columns."""
    found = standard_artifacts.Examples()
    found.uri, found.split_names = str(tmp_path), artifact_utils.encode_split_names(["train"])
    write(ROWS, tmp_path / "Split-train")
    return found


@pytest.fixture
def columns(examples: Any) -> Path:
    """A column file beside the shard. It holds another row, so that a test sees where a row comes from."""
    (shard,) = Path(examples.uri, "Split-train").iterdir()
    with ColumnFileWriter(str(shard)) as writer:
        writer.write(COLUMNS)
        writer.write(COLUMNS)
    return Path(column_file(str(shard)))


def read(examples: Any, **options: Any) -> dict[str, list[Any]]:
    """The columns of all batches."""
    found: list[Any] = []
    with beam.Pipeline(runner=InlineRunner(), argv=[]) as pipeline:
        batches = pipeline | SplitBatches(examples, "train", reader="Test", **options)
        _ = batches | beam.Map(found.append)
    columns: dict[str, list[Any]] = pa.Table.from_batches(found).to_pydict()
    return columns


@pytest.mark.usefixtures("columns")
def test_columns_are_read_where_they_are(examples: Any) -> None:
    assert read(examples) == {"age": [[3], [3]], "name": [[], []]}


def test_examples_are_decoded_where_there_are_no_columns(examples: Any) -> None:
    assert read(examples) == {"age": [[1], [2]], "name": [[b"a"], []]}


def test_a_shard_without_columns_makes_all_be_decoded(examples: Any, columns: Path) -> None:
    shutil.copy(next(Path(examples.uri, "Split-train").iterdir()), Path(examples.uri, "Split-train/second.gz"))
    assert read(examples)["age"] == [[1], [2]] * 2


@pytest.mark.usefixtures("columns")
def test_serialized_examples_stand_beside_their_columns(examples: Any) -> None:
    found = read(examples, record_column="record")
    assert found == {"age": [[3], [3]], "name": [[], []], "record": [[record] for record in encode(ROWS)]}


@pytest.mark.parametrize(("rows", "received"), [(1, "more examples"), (3, "fewer examples")])
def test_a_column_file_of_other_rows_is_refused(examples: Any, rows: int, received: str) -> None:
    (shard,) = Path(examples.uri, "Split-train").iterdir()
    with ColumnFileWriter(str(shard)) as writer:
        for _ in range(rows):
            writer.write(COLUMNS)
    with pytest.raises(DataError, match=received):
        read(examples, record_column="record")


@pytest.mark.usefixtures("columns")
def test_hidden_files_are_no_shards(examples: Any) -> None:
    for name in (".nfs0001", "_SUCCESS"):
        Path(examples.uri, "Split-train", name).touch()
    assert read(examples)["age"] == [[3], [3]]


@pytest.mark.usefixtures("columns")
def test_a_schema_gives_the_columns(examples: Any) -> None:
    schema = schema_pb2.Schema(feature=[schema_pb2.Feature(name="name", type=schema_pb2.BYTES)])
    assert read(examples, schema=schema) == {"name": [[b"a"], []]}
