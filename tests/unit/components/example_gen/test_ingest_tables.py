"""Files of typed columns: what is read of them is what is read of the same rows as CSV."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import apache_beam as beam
import fastavro
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pytest
import tensorflow as tf
from pyarrow import orc, parquet

from components.example_gen import avro_file
from components.example_gen.ingest import Ingested, Ingestion, ingest
from components.example_gen.table_blocks import read_table_pieces, split_table_blocks
from components.example_gen.table_file import TableFile, TableSource
from runners.inline import InlineRunner
from schemas.errors import DataError
from schemas.features import FeatureTable
from schemas.raw_columns import RawColumns

TABLE = FeatureTable.model_validate(
    {
        "features": {
            "fare": {"kind": "numeric"},
            "company": {"kind": "categorical"},
            "hour": {"kind": "integer", "size": 24},
        },
        "label": {"kind": "binary", "expression": "tips > 1"},
    }
)
ROWS = pa.table(
    {
        "company": pa.array(["a", None, "größe", "", "b"] * 20),
        "extra": pa.array([[1, 2]] * 100),  # not read by the table: it may be anything
        "fare": pa.array([None if n % 7 == 3 else 0.25 * n for n in range(100)], pa.float64()),
        "hour": pa.array([None if n % 9 == 5 else n % 24 for n in range(100)], pa.int32()),
        "tips": pa.array([float(n % 5) for n in range(100)], pa.float32()),
    }
)


def write_parquet(table: pa.Table, path: Path) -> None:
    parquet.write_table(table, path, row_group_size=30)


def write_arrow(table: pa.Table, path: Path) -> None:
    options = pa.ipc.IpcWriteOptions(compression="lz4")  # as Feather is by default
    with pa.ipc.new_file(str(path), table.schema, options=options) as writer:
        writer.write_table(table, 30)


def write_orc(table: pa.Table, path: Path) -> None:
    orc.write_table(table, path, batch_size=30, stripe_size=1000)


def write_avro(table: pa.Table, path: Path) -> None:
    kinds = {"string": "string", "double": "double", "float": "float", "int32": "int"}
    fields = [
        {"name": field.name, "type": ["null", kinds.get(str(field.type), {"type": "array", "items": "long"})]}
        for field in table.schema
    ]
    schema = fastavro.parse_schema({"type": "record", "name": "Row", "fields": fields})
    with path.open("wb") as file:
        fastavro.writer(file, schema, table.to_pylist(), codec="deflate", sync_interval=300)


WRITERS: dict[str, Callable[[pa.Table, Path], None]] = {
    "parquet": write_parquet,
    "arrow": write_arrow,
    "orc": write_orc,
    "avro": write_avro,
}
sources = pytest.mark.parametrize("source", WRITERS)


def _ingest(folder: Path, *tables: pa.Table, source: Any, **options: Any) -> Ingested:
    folder.mkdir(exist_ok=True)
    paths = []
    for number, table in enumerate(tables):
        path = folder / f"{number}.{source}"
        if source == "csv":
            kept = table.select([name for name in table.column_names if name != "extra"])
            pyarrow.csv.write_csv(kept, path)
        else:
            WRITERS[source](table, path)
        paths.append(str(path))
    ingestion = Ingestion(RawColumns.of(TABLE), {"train": 2, "eval": 1}, source=source, **options)
    return ingest(paths, str(folder / "out"), ingestion, lambda: beam.Pipeline(runner=InlineRunner()))


def _records(folder: Path) -> list[bytes]:
    """Train's in their order, then eval's."""
    files = [str(path) for split in ("train", "eval") for path in sorted(folder.glob(f"out/Split-{split}/*.gz"))]
    return list(tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator())


@sources
@pytest.mark.parametrize("block_bytes", [16 << 20, 100])
def test_the_same_examples_as_of_csv(
    tmp_path: Path, source: TableSource, block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(avro_file, "_RUN_BYTES", 100)
    of_csv = _ingest(tmp_path / "csv", ROWS, ROWS.slice(0, 7), source="csv")
    found = _ingest(tmp_path / source, ROWS, ROWS.slice(0, 7), source=source, block_bytes=block_bytes)
    assert found.rows == of_csv.rows
    assert sum(found.rows.values()) == 107
    assert _records(tmp_path / source) == _records(tmp_path / "csv")
    shards = list((tmp_path / source).glob("out/Split-train/*.gz"))
    assert len(shards) == 1 if block_bytes > 100 else len(shards) > 1


@pytest.mark.parametrize("source", ["parquet", "arrow", "avro"])  # a damaged ORC file may end the process
def test_a_block_is_read_without_the_others(
    tmp_path: Path, source: TableSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(avro_file, "_RUN_BYTES", 1000)
    numbers = np.arange(3000, dtype=np.int32)
    rows = pa.table({"name": [f"{n * 2654435761 % 2**32:x}" for n in numbers.tolist()], "n": numbers})
    path = tmp_path / "a"
    WRITERS[source](rows, path)
    with TableFile(str(path), source) as file:
        blocks = split_table_blocks(file, source, 1)
    content = path.read_bytes()
    start, end = len(content) * 4 // 10, len(content) * 6 // 10
    path.write_bytes(content[:start] + bytes(end - start) + content[end:])
    for block in (blocks[0], blocks[-1]):
        found = [piece.batch for piece in read_table_pieces(block, ["n", "name"])]
        wanted = rows.slice(block.first - 1, block.rows).select(["n", "name"])
        assert pa.Table.from_batches(found).to_pylist() == wanted.to_pylist()


def _with(column: str, values: pa.Array) -> pa.Table:
    """Rows enough for two splits, whose column has these values again and again."""
    rows = ROWS.slice(0, 20 * len(values))
    return rows.set_column(rows.column_names.index(column), column, pa.chunked_array([values] * 20))


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("hour", pa.array([3.0, float("nan"), 4.0])),  # as pandas has whole numbers that may be missing
        ("hour", pa.array(["3", "", "4"])),
        ("hour", pa.array([3, None, 4], pa.uint64())),
        ("fare", pa.array([Decimal("3.00"), None, Decimal("4.00")])),
        ("fare", pa.array([3, None, 4], pa.int8())),
        ("company", pa.array(["3", None, "4"]).dictionary_encode()),
        ("company", pa.array([b"3", None, b"4"])),
        ("company", pa.array([3, None, 4])),
    ],
)
def test_types_of_other_kinds_are_converted(tmp_path: Path, column: str, values: pa.Array) -> None:
    _ingest(tmp_path / "a", _with(column, values), source="parquet")
    found = []
    for record in _records(tmp_path / "a"):
        feature = tf.train.Example.FromString(record).features.feature[column]
        found += [*feature.bytes_list.value, *feature.float_list.value, *feature.int64_list.value]
    assert len(found) == 40
    assert {*found} in ({3, 4}, {b"3", b"4"})


@pytest.mark.parametrize(
    ("column", "values", "told"),
    [
        ("hour", pa.array([1.0, 2.5, 3.0]), "(?s)not a whole number.*row 2.*2.5"),
        ("hour", pa.array([1, 2, 2**64 - 1], pa.uint64()), "(?s)outside the range of int64.*row 3"),
        ("hour", pa.array([1.0, 2.0**60, 3.0]), "(?s)not exact.*row 2"),
        ("fare", pa.array([1.0, 2.0, 1e300]), "(?s)outside the range of float32.*row 3"),
        ("fare", pa.array([datetime.date(2020, 1, 1)] * 3), "(?s)not a number.*row 1.*2020-01-01"),
        ("fare", pa.array([[1.0], [], [2.0]]), "(?s)holds several values.*list"),
    ],
)
def test_what_cannot_be_converted_is_refused(tmp_path: Path, column: str, values: pa.Array, told: str) -> None:
    with pytest.raises(DataError, match=told):
        _ingest(tmp_path / "a", _with(column, values), source="parquet")
    assert not list((tmp_path / "a").glob("out/Split-*"))


@sources
def test_a_missing_column_is_named_with_what_reads_it(tmp_path: Path, source: TableSource) -> None:
    renamed = ROWS.drop(["fare"]).append_column("fares", ROWS["fare"])
    with pytest.raises(DataError, match=r"(?s)Column 'fare' is missing; it is read by .*Is it 'fares'"):
        _ingest(tmp_path / "a", ROWS, renamed, source=source)


@pytest.mark.parametrize("source", ["parquet", "arrow", "orc"])
def test_a_column_that_is_there_twice_is_refused(tmp_path: Path, source: TableSource) -> None:
    with pytest.raises(DataError, match="(?s)Column 'fare' is there more than once; it is read by .*2 columns"):
        _ingest(tmp_path / "a", ROWS.append_column("fare", ROWS["fare"]), source=source)


def test_whole_numbers_of_any_size_are_floats(tmp_path: Path) -> None:
    _ingest(tmp_path / "a", _with("fare", pa.array([2**60 + 1, None, 1])), source="arrow")
    values = {
        value
        for record in _records(tmp_path / "a")
        for value in tf.train.Example.FromString(record).features.feature["fare"].float_list.value
    }
    assert values == {2.0**60, 1.0}


@sources
@pytest.mark.parametrize("content", [b"", b"fare,tips\n1,2\n"])
def test_another_file_is_refused(tmp_path: Path, source: TableSource, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    ingestion = Ingestion(RawColumns.of(TABLE), {"train": 2, "eval": 1}, source=source)
    with pytest.raises(DataError, match=r"The data file is not (Parquet|Arrow|ORC|Avro), or is damaged"):
        ingest([str(tmp_path / "a")], str(tmp_path / "out"), ingestion, lambda: beam.Pipeline(runner=InlineRunner()))


@sources
def test_no_rows(tmp_path: Path, source: TableSource) -> None:
    with pytest.raises(DataError, match="The data holds no row"):
        _ingest(tmp_path / "a", ROWS.slice(0, 0), source=source)


def test_missing_texts_and_nulls_are_missing(tmp_path: Path) -> None:
    _ingest(tmp_path / "a", _with("company", pa.array(["a", "NA", None, "", "b"])), source="arrow", missing=("NA",))
    filled = [
        bool(tf.train.Example.FromString(record).features.feature["company"].bytes_list.value)
        for record in _records(tmp_path / "a")
    ]
    assert (len(filled), np.count_nonzero(filled)) == (100, 40)
