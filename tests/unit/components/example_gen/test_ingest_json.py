"""JSON lines: what is read of them is what is read of the same rows as CSV; what is no row is told with its line."""

from __future__ import annotations

import bz2
import csv
import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pytest
import tensorflow as tf

from components.example_gen.ingest import Ingested, Ingestion, ingest
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
ROWS: list[dict[str, Any]] = [
    {
        "company": ["a", None, "größe\n", "", '"b"'][n % 5],
        "fare": None if n % 7 == 3 else 0.25 * n,
        "hour": None if n % 9 == 5 else n % 24,
        "tips": float(n % 5),
    }
    for n in range(100)
]


def zstandard(data: bytes) -> bytes:
    packed = pa.BufferOutputStream()
    with pa.CompressedOutputStream(packed, "zstd") as stream:
        stream.write(data)
    return packed.getvalue().to_pybytes()


def _lines(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def _ingest(folder: Path, *contents: bytes, source: Any = "jsonl", **options: Any) -> Ingested:
    folder.mkdir(exist_ok=True)
    paths = []
    for number, content in enumerate(contents):
        path = folder / f"{number}.{source}"
        path.write_bytes(content)
        paths.append(str(path))
    ingestion = Ingestion(RawColumns.of(TABLE), {"train": 2, "eval": 1}, source=source, **options)
    return ingest(paths, str(folder / "out"), ingestion, lambda: beam.Pipeline(runner=InlineRunner()))


def _records(folder: Path) -> list[bytes]:
    """Train's in their order, then eval's."""
    files = [str(path) for split in ("train", "eval") for path in sorted(folder.glob(f"out/Split-{split}/*.gz"))]
    return list(tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator())


def _values(folder: Path, column: str) -> list[Any]:
    """The values of a column of the rows that have one, sorted."""
    found: list[Any] = []
    for record in _records(folder):
        feature = tf.train.Example.FromString(record).features.feature[column]
        found += [*feature.bytes_list.value, *feature.float_list.value, *feature.int64_list.value]
    return sorted(found)


def _as_csv(folder: Path, rows: Sequence[Mapping[str, Any]]) -> bytes:
    folder.mkdir()
    with (folder / "rows").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return (folder / "rows").read_bytes()


@pytest.mark.parametrize("block_bytes", [16 << 20, 1000])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, zstandard])
def test_the_same_examples_as_of_csv(tmp_path: Path, pack: Callable[[bytes], bytes], block_bytes: int) -> None:
    of_csv = _ingest(tmp_path / "csv", _as_csv(tmp_path / "csv", ROWS), source="csv")
    extra = [{**row, "nested": {"deep": [1, {"fare": 2}]}, "fares": None} for row in ROWS]
    found = _ingest(tmp_path / "a", pack(_lines(extra[:93])), pack(_lines(extra[93:])), block_bytes=block_bytes)
    assert found.rows == of_csv.rows
    assert sum(found.rows.values()) == 100
    assert _records(tmp_path / "a") == _records(tmp_path / "csv")
    if pack is bytes:
        assert (len(list((tmp_path / "a").glob("out/Split-train/*.gz"))) > 1) == (block_bytes == 1000)


def _with(column: str, *written: str) -> bytes:
    """Lines enough for two splits, whose column is written so, again and again."""
    lines = []
    for number, row in enumerate(ROWS[: 20 * len(written)]):
        others = json.dumps({name: value for name, value in row.items() if name != column})
        lines.append(f'{{"{column}": {written[number % len(written)]}, {others[1:]}')
    return "\n".join(lines).encode()


@pytest.mark.parametrize(
    ("column", "written", "values"),
    [
        ("hour", ["3", "null", "4"], {3, 4}),
        ("hour", ["3.0", "NaN", "4"], {3, 4}),  # as pandas has whole numbers that may be missing
        ("hour", ['"3"', '""', "4"], {3, 4}),
        ("hour", ["1e1", "true", "false"], {10, 1, 0}),
        ("hour", ["9007199254740993", "3.0"], {2**53 + 1, 3}),
        ("fare", ["3", '"4.5"', "null"], {3, 4.5}),
        ("fare", ["Infinity", "1.5"], {float("inf"), 1.5}),
        ("company", ["1e400", '"a"'], {b"1e400", b"a"}),
        ("fare", ["36893488147419103232", "1152921504606846977"], {2.0**65, 2.0**60}),
        ("fare", ["true", "false"], {1, 0}),
        ("company", ["1.10", "36893488147419103233", "true", '"x"'], {b"1.10", b"36893488147419103233", b"true", b"x"}),
        ("company", [r'"a\u0000\u00e9\ud83d\ude00"', '"b"'], {"a\0é😀".encode(), b"b"}),
        ("company", ['"NA"', '"a"', "1"], {b"a", b"1"}),
    ],
)
def test_values_of_other_types_are_converted(tmp_path: Path, column: str, written: list[str], values: set[Any]) -> None:
    _ingest(tmp_path / "a", _with(column, *written), missing=("NA", "-1"))
    assert {*_values(tmp_path / "a", column)} == values


def test_only_text_is_held_against_the_texts_that_mean_missing(tmp_path: Path) -> None:
    _ingest(tmp_path / "a", _with("fare", "-1", '"-1"', '"2"'), missing=("-1",))
    assert {*_values(tmp_path / "a", "fare")} == {-1.0, 2.0}


@pytest.mark.parametrize(
    ("column", "written", "told"),
    [
        ("hour", ["1", "2.5"], "(?s)not a whole number.*line 2: 2.5"),
        ("hour", ["1", "18446744073709551616"], "(?s)outside the range of int64.*line 2: 18446744073709551616"),
        ("hour", ["1", "18446744073709551615"], "(?s)outside the range of int64.*line 2"),
        ("hour", ["1", "Infinity"], "(?s)not a whole number.*line 2"),
        ("hour", ["1", '"x"'], "(?s)20 of its values are not a number.*line 2: x; line 4: x"),
        ("fare", ["1", "1e300"], "(?s)outside the range of float32.*line 2"),
        ("fare", ["1", "-1e400"], "(?s)outside the range of float32.*line 2: -1e400"),
        ("fare", ["NaN", "1" * 400], "(?s)outside the range of float32.*line 2: 111"),
        (
            "fare",
            ["1", "[2]"],
            r"(?s)20 lines are no JSON object with one value a column.*line 2: 'fare' holds",
        ),
        ("company", ['"a"', '{"b": 1}'], r"(?s)20 lines are.*line 2: 'company' holds several values: \{\"b\": 1\}"),
    ],
)
def test_what_cannot_be_converted_is_refused(tmp_path: Path, column: str, written: list[str], told: str) -> None:
    with pytest.raises(DataError, match=told):
        _ingest(tmp_path / "a", _with(column, *written))
    assert not list((tmp_path / "a").glob("out/Split-*"))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b'{"fare": 1', "Expecting ',' delimiter, column 11"),
        (b'{"fare": 1}{"fare": 2}', "Extra data, column 12"),
        (b'{"fare": 1} null', "Extra data"),
        (b"{'fare': 1}", "Expecting property name"),
        (b'{"fare": 01}', "Expecting ',' delimiter"),
        (b"null", "no object: null"),
        (b"3", "no object: 3"),
        (b'"text"', "no object"),
        (b"[1, 2]", "no object"),
        (b'{"company": "a\tb"}', "Invalid control character"),
        (b'{"company": "a\0b"}', "Invalid control character"),
        (b'{"company": "\xff"}', "no UTF-8 text, byte 14"),
        (rb'{"company": "\ud800"}', "half of a surrogate pair"),
        (b'{"x": ' + b"[" * 100_000, "nested too deeply"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_lines_that_are_no_rows_are_told(tmp_path: Path, line: bytes, told: str) -> None:
    content = _lines(ROWS[:50]) + b"\n" + line + b"\n" + _lines(ROWS[50:]) + line
    with pytest.raises(DataError, match="2 lines are no JSON object") as error:
        _ingest(tmp_path / "a", content, block_bytes=1000)
    assert "line 52" in str(error.value.where)
    assert f"line 52: {told}" in str(error.value.received)
    assert f"line 103: {told}" in str(error.value.received)


def test_lines_that_are_no_rows_can_be_left_out(tmp_path: Path) -> None:
    content = _lines(ROWS[:50]) + b"oh no\n" + _lines(ROWS[50:])
    found = _ingest(tmp_path / "a", content, max_rejected_fraction=0.01)
    assert (sum(found.rows.values()), found.rejected) == (100, 1)
    letter = json.loads((tmp_path / "a" / "out" / "rejected.jsonl").read_text())
    assert (letter["line"], letter["values"]) == (51, "oh no")


def test_numbers_of_any_length_are_numbers(tmp_path: Path) -> None:
    long = _lines(ROWS).replace(b'"hour": 7', b'"x": -' + b"7" * 5000 + b', "hour": ' + b"1" * 5000)
    with pytest.raises(DataError, match="outside the range of int64"):
        _ingest(tmp_path / "a", long)


def test_blank_lines_a_byte_order_mark_and_line_ends_of_windows_are_passed_over(tmp_path: Path) -> None:
    _ingest(tmp_path / "a", _lines(ROWS))
    odd = b"\xef\xbb\xbf\n  \r\n" + _lines(ROWS).replace(b"\n", b"\r\n\r\n").rstrip()
    _ingest(tmp_path / "b", odd, b"")
    assert _records(tmp_path / "b") == _records(tmp_path / "a")


def test_of_members_of_one_name_the_last_counts(tmp_path: Path) -> None:
    twice = _lines(ROWS).replace(b'"fare": ', b'"fare": -7, "fare": ')
    _ingest(tmp_path / "a", _lines(ROWS))
    _ingest(tmp_path / "b", twice)
    assert _records(tmp_path / "b") == _records(tmp_path / "a")


def test_a_member_that_some_lines_lack_is_missing_there(tmp_path: Path) -> None:
    _ingest(tmp_path / "a", _lines([{name: value for name, value in row.items() if value is not None} for row in ROWS]))
    _ingest(tmp_path / "b", _lines(ROWS))
    assert _records(tmp_path / "a") == _records(tmp_path / "b")


def test_a_member_that_every_line_lacks_is_named_with_what_reads_it(tmp_path: Path) -> None:
    renamed = _lines(ROWS).replace(b'"fare"', b'"fares"')
    with pytest.raises(DataError, match=r"(?s)Column 'fare' is missing in all of 100 lines.*Is it 'fares'"):
        _ingest(tmp_path / "a", renamed)


def test_a_member_that_is_null_in_every_line_is_empty(tmp_path: Path) -> None:
    found = _ingest(tmp_path / "a", _lines([{**row, "fare": None} for row in ROWS]))
    assert found.empty == ("fare",)


def test_an_array_of_rows_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)is a JSON array, not JSON lines.*jq -c"):
        _ingest(tmp_path / "a", json.dumps(ROWS, indent=1).encode())


def test_another_format_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"(?s)not JSON lines.*data.source: avro"):
        _ingest(tmp_path / "a", b"Obj\x01....")


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_no_rows(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DataError, match="The data holds no line"):
        _ingest(tmp_path / "a", content)


def test_a_cut_off_packed_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cut off"):
        _ingest(tmp_path / "a", gzip.compress(_lines(ROWS * 20))[:-30])
