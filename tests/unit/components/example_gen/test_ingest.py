"""Ingestion as a whole: rows in, examples out; and every bad input refused with nothing left behind."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
import tensorflow as tf
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from components.example_gen import ingest as ingest_module
from components.example_gen.block_writer import write_blocks
from components.example_gen.ingest import Ingested, Ingestion, ingest
from components.example_gen.report import Report
from runners.inline import InlineRunner
from schemas.errors import DataError, RunError, SchemaError
from schemas.features import FeatureTable
from schemas.raw_columns import RawColumns

ROWS = [f"{fare},{fare * (i % 2)}.5,{i}" for i, fare in enumerate(range(40))]


def _table(**label: Any) -> FeatureTable:
    return FeatureTable.model_validate(
        {"features": {"fare": {"kind": "numeric"}}, "label": label or {"kind": "binary", "expression": "tips > 0.5"}}
    )


def _ingest(folder: Path, *files: str | bytes, table: FeatureTable | None = None, **options: Any) -> Ingested:
    """Writes each content to a file and ingests them all to folder/out."""
    paths = []
    for index, content in enumerate(files):
        path = folder / f"{index}.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        paths.append(str(path))
    ingestion = Ingestion(RawColumns.of(table or _table()), {"train": 2, "eval": 1}, **options)
    return ingest(paths, str(folder / "out"), ingestion, lambda: beam.Pipeline(runner=InlineRunner()))


def _csv(*rows: str, header: str = "fare,tips,n") -> str:
    return "\n".join([header, *rows]) + "\n"


def _value(feature: tf.train.Feature) -> Any:
    kind = feature.WhichOneof("kind")
    values = list(getattr(feature, kind).value) if kind else []
    return (kind, values[0] if values else None)


def _read(folder: Path) -> list[dict[str, Any]]:
    rows = []
    for path in sorted(folder.glob("out/Split-*/*.gz")):
        for record in tf.data.TFRecordDataset(str(path), "GZIP").as_numpy_iterator():
            features = tf.train.Example.FromString(record).features.feature
            rows.append({name: _value(feature) for name, feature in features.items()})
    return rows


def _refused(folder: Path, message: str, *files: str | bytes, **options: Any) -> None:
    with pytest.raises((DataError, SchemaError), match="(?s)" + message):
        _ingest(folder, *files, **options)
    assert not (folder / "out").exists() or os.listdir(folder / "out") == []


def test_rows_become_examples(tmp_path: Path) -> None:
    done = _ingest(tmp_path, _csv(*ROWS))
    assert sum(done.rows.values()) == 40
    assert min(done.rows.values()) > 0
    assert done.types == {"fare": "float", "tips": "float", "n": "int"}
    rows = _read(tmp_path)
    assert sorted(row["n"][1] for row in rows) == list(range(40))
    assert {row["fare"][0] for row in rows} == {"float_list"}
    assert sorted(os.listdir(tmp_path / "out")) == ["Columns-eval", "Columns-train", "Split-eval", "Split-train"]


def test_equal_input_gives_equal_shards(tmp_path: Path) -> None:
    shards = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        _ingest(tmp_path / name, _csv(*ROWS), _csv(*ROWS[:3]))
        shards.append({path.name: path.read_bytes() for path in (tmp_path / name).glob("out/*/*")})
    assert shards[0] == shards[1]
    assert set(shards[0]) == {"data_tfrecord-00000-of-00001.gz", "data_tfrecord-00000-of-00001.arrow"}


def test_files_may_order_their_columns_differently(tmp_path: Path) -> None:
    swapped = _csv(*(",".join(reversed(row.split(","))) for row in ROWS), header="n,tips,fare")
    _ingest(tmp_path, _csv(*ROWS), swapped)
    rows = sorted(_read(tmp_path), key=lambda row: row["n"][1])
    assert rows[0::2] == rows[1::2]


def test_later_file_widens_the_type_of_all(tmp_path: Path) -> None:
    done = _ingest(tmp_path, _csv(*ROWS), _csv("1,2,x"))
    assert done.types["n"] == "string"
    assert {row["n"][0] for row in _read(tmp_path)} == {"bytes_list"}


def test_later_rows_widen_the_type(tmp_path: Path) -> None:
    many = [f"{i},{i % 2},{i}" for i in range(20_000)]
    done = _ingest(tmp_path, _csv(*many, "1,2,2.5"))
    assert done.types["n"] == "float"
    assert sum(done.rows.values()) == 20_001


def test_many_blocks_give_the_same_rows(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    one = _ingest(tmp_path / "one", _csv(*ROWS))
    (tmp_path / "many").mkdir()
    many = _ingest(tmp_path / "many", _csv(*ROWS), block_bytes=100)
    assert len(list((tmp_path / "many").glob("out/Split-train/*"))) > 2
    assert many == one
    assert _read(tmp_path / "many") == _read(tmp_path / "one")


def test_column_without_values_has_no_type(tmp_path: Path) -> None:
    done = _ingest(tmp_path, _csv(*(row.rsplit(",", 1)[0] + "," for row in ROWS)))
    assert done.types["n"] == "none"
    assert {row["n"] for row in _read(tmp_path)} == {(None, None)}


def test_missing_value_is_an_empty_list_of_the_type(tmp_path: Path) -> None:
    _ingest(tmp_path, _csv(*ROWS, ",7,"))
    assert [row for row in _read(tmp_path) if row["n"][1] is None] == [
        {"fare": ("float_list", None), "tips": ("float_list", 7.0), "n": ("int64_list", None)}
    ]


def test_byte_order_mark_gzip_and_crlf(tmp_path: Path) -> None:
    text = b"\xef\xbb\xbf" + _csv(*ROWS).replace("\n", "\r\n").encode()
    done = _ingest(tmp_path, gzip.compress(text))
    assert sum(done.rows.values()) == 40
    assert set(_read(tmp_path)[0]) == {"fare", "tips", "n"}


def test_other_delimiter(tmp_path: Path) -> None:
    assert sum(_ingest(tmp_path, _csv(*ROWS).replace(",", ";"), delimiter=";").rows.values()) == 40


def test_rows_without_a_label_are_dropped_and_counted(tmp_path: Path) -> None:
    done = _ingest(tmp_path, _csv(*ROWS, "1,,100", "1,nan,101"), drop_unlabelled=True)
    assert (sum(done.rows.values()), done.dropped) == (40, 2)
    assert max(row["n"][1] for row in _read(tmp_path)) == 39


def test_nan_and_infinity_are_numbers(tmp_path: Path) -> None:
    assert sum(_ingest(tmp_path, _csv(*ROWS, "nan,1,1", "inf,1,1", "-inf,1,1")).rows.values()) == 43


@pytest.mark.parametrize("content", [b"", gzip.compress(b"")], ids=["plain", "gzip"])
def test_empty_file(tmp_path: Path, content: bytes) -> None:
    _refused(tmp_path, "The data file is empty.*0.csv", content)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("rest", [b"", b"\n", b"\n\n\n"])
def test_header_only(tmp_path: Path, rest: bytes, packed: bool) -> None:
    content = b"fare,tips,n" + rest
    _refused(tmp_path, "a header, but no row.*0.csv.*0 rows", gzip.compress(content) if packed else content)


def test_ragged_rows(tmp_path: Path) -> None:
    _refused(
        tmp_path,
        "2 rows have not the number of fields.*0.csv, line 42.*line 42: 4 instead of 3 fields; line 43: 1 instead",
        _csv(*ROWS, "1,2,3,4", "5"),
    )


def test_duplicate_header(tmp_path: Path) -> None:
    _refused(tmp_path, "column 'tips' more than once", _csv("1,2,3", header="fare,tips,tips"))


def test_binary_content(tmp_path: Path) -> None:
    _refused(tmp_path, "NUL byte.*0.csv, line 3", b"fare,tips,n\n1,2,3\n\x00\x01,2,3\n")


def test_text_of_another_encoding(tmp_path: Path) -> None:
    _refused(tmp_path, "not UTF-8.*line 3.*iconv", "fare,tips,n\n1,2,x\n1,2,é\n".encode("latin-1"))


def test_unclosed_quote(tmp_path: Path) -> None:
    _refused(tmp_path, "never closed.*line 3", _csv("1,2,3", '1,2,"x', "1,2,3"))


def test_truncated_gzip(tmp_path: Path) -> None:
    packed = gzip.compress("".join(_csv(*ROWS)).encode())
    _refused(tmp_path, "gzip file is cut off.*0.csv", packed[:-12])


def test_missing_label_column(tmp_path: Path) -> None:
    _refused(tmp_path, "Column 'tips' is missing; it is read by the label.*'tip'", _csv("1,2,3", header="fare,tip,n"))


def test_text_where_numbers_belong(tmp_path: Path) -> None:
    _refused(
        tmp_path,
        "Column 'fare' must hold numbers; 7 of its values are not a number.*0.csv, line 42, column 'fare'"
        ".*line 42: cheap; line 43: cheap;.*and 2 more.*missing_values",
        _csv(*ROWS, *["cheap,2,3"] * 7),
    )


def test_bad_values_of_all_files_are_counted(tmp_path: Path) -> None:
    _refused(tmp_path, "2 of its values.*line 42: a; .*1.csv, line 2: b", _csv(*ROWS, "a,1,1"), _csv("b,1,1"))


def test_number_beyond_int64(tmp_path: Path) -> None:
    features = {"fare": {"kind": "hashed", "dtype": "int", "buckets": 9}}
    table = FeatureTable.model_validate({"features": features, "label": {"kind": "binary", "expression": "tips > 0.5"}})
    _refused(tmp_path, "outside the range of int64.*line 42: 9{30}", _csv(*ROWS, "9" * 30 + ",1,1"), table=table)


def test_number_beyond_float32(tmp_path: Path) -> None:
    _refused(tmp_path, "outside the range of float32.*line 42: 1e39", _csv(*ROWS, "1e39,1,1"))


def test_rows_without_a_label(tmp_path: Path) -> None:
    _refused(tmp_path, "1 row has no label.*line 42.*tips is empty.*unlabelled: drop", _csv(*ROWS, "1,,3"))


def test_a_label_that_is_a_text_for_missing_values_is_told_as_such(tmp_path: Path) -> None:
    message = r"is empty, or has a text of data\.missing_values \('NA'\).*line 42.*take it out of data\.missing_values"
    _refused(tmp_path, message, _csv(*ROWS, "1,NA,3"), missing=("", "NA"))


def test_one_class_only(tmp_path: Path) -> None:
    _refused(tmp_path, "only one class.*tips > 0.5.*no in all of 20 rows", _csv(*["1,0,3"] * 20))


def test_number_class_out_of_range(tmp_path: Path) -> None:
    table = _table(kind="integer", column="n", classes=3)
    _refused(tmp_path, "37 rows have a label outside 0 to 2.*line 5: n=3", _csv(*ROWS), table=table)


def test_unknown_class_name(tmp_path: Path) -> None:
    table = _table(kind="one_hot", column="n", classes=("cat", "dog"))
    rows = ["1,1,cat", "1,1,dog", "1,1,dgo", "1,1,dgo", "1,1,cow"]
    _refused(tmp_path, "3 rows have a label.*'dgo' \\(2\\), 'cow' \\(1\\).*mean 'dog'", _csv(*rows), table=table)


def test_constant_number_to_predict(tmp_path: Path) -> None:
    _refused(tmp_path, "only one", _csv(*["1,2,3"] * 9), table=_table(kind="numeric", column="n"))


def test_label_that_is_not_yes_or_no(tmp_path: Path) -> None:
    _refused(tmp_path, "not give yes or no", _csv(*ROWS), table=_table(kind="binary", expression="tips"))


def test_too_few_rows_for_a_split(tmp_path: Path) -> None:
    _refused(tmp_path, "Split '(train|eval)' is empty.*2 rows for splits", _csv("1,0,3", "1,1,4"))


def test_different_headers(tmp_path: Path) -> None:
    _refused(
        tmp_path, "same columns.*1.csv, line 1.*lacks n and adds m", _csv(*ROWS), _csv(*ROWS, header="fare,tips,m")
    )


def test_output_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    with pytest.raises(RunError, match="cannot be written"):
        _ingest(tmp_path, _csv(*ROWS))


def test_a_split_with_one_class_only(tmp_path: Path) -> None:
    _refused(
        tmp_path,
        r"Split '(train|eval)' holds one class only.*label by tips > 0.5.*no in all of \d+ rows; all splits: no 39, "
        "yes 1",
        _csv(*(f"{fare},{int(fare == 7)},{fare}" for fare in range(40))),
    )


def test_columns_of_the_table_that_are_empty_are_told(tmp_path: Path) -> None:
    assert _ingest(tmp_path, _csv(*(f",{i % 2},{i}" for i in range(40)))).empty == ("fare",)
    (tmp_path / "again").mkdir()
    assert _ingest(tmp_path / "again", _csv(*ROWS)).empty == ()


def test_an_infinite_number_to_predict(tmp_path: Path) -> None:
    table = _table(kind="numeric", column="tips")
    _refused(tmp_path, "1 row has an infinite label.*line 42: tips=inf", _csv(*ROWS, "1,inf,3"), table=table)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('"1,234.5"', "without separators of thousands"),
        ('"1,5"', "decimal point"),
        ("True", "1 and 0"),
        ("2022-05-16", "kind: timestamp"),
        ("cheap", "Fix: Mend the values"),
    ],
)
def test_what_people_write_for_a_number_has_a_hint(tmp_path: Path, text: str, hint: str) -> None:
    _refused(tmp_path, f"'fare' must hold numbers.*line 42.*{hint}", _csv(*ROWS, f"{text},1,3"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1e39", "outside the range of int64"),
        ("1e400", "outside the range of int64"),
        (str(2**63), "outside the range of int64"),
        (str(-(2**63) - 1), "outside the range of int64"),
        ("1e17", "written as a decimal, which is not exact for so large a number"),
        ("inf", "not a whole number"),
        ("2.5", "not a whole number"),
    ],
)
def test_what_is_no_whole_number(tmp_path: Path, text: str, reason: str) -> None:
    table = FeatureTable.model_validate(
        {
            "features": {"n": {"kind": "numeric", "dtype": "int"}},
            "label": {"kind": "binary", "expression": "tips > 0.5"},
        }
    )
    _refused(
        tmp_path, f"'n' must hold whole numbers; 1 of its values is {reason}", _csv(*ROWS, f"1,1,{text}"), table=table
    )


def test_spaces_around_the_names_of_the_header(tmp_path: Path) -> None:
    _refused(
        tmp_path, "'fare' is missing.*spaces around its names.*column: ' fare'", _csv(*ROWS, header="n, fare, tips")
    )


def test_a_field_of_a_megabyte_is_kept_whole(tmp_path: Path) -> None:
    _ingest(tmp_path, _csv(*ROWS, f"1,1,{'x' * 1_000_000}"))
    assert max(len(row["n"][1]) for row in _read(tmp_path)) == 1_000_000


def test_a_quoted_field_larger_than_a_block(tmp_path: Path) -> None:
    text = "line\n" * 1000
    done = _ingest(tmp_path, _csv(*ROWS, f'1,1,"{text}"', *ROWS), block_bytes=100)
    assert sum(done.rows.values()) == 81
    assert [row["n"][1] for row in _read(tmp_path) if row["fare"][1] == 1.0 and len(row["n"][1]) > 9] == [text.encode()]


@pytest.mark.slow
def test_ten_thousand_columns(tmp_path: Path) -> None:
    others = [f"c{column}" for column in range(10_000)]
    values = ",".join(("", "1", "2.5", "x")[column % 4] for column in range(10_000))
    done = _ingest(
        tmp_path,
        _csv(*(f"{row},{row % 2},{values}" for row in range(40)), header=",".join(["fare", "tips", *others])),
        _csv(*(f"{values},{row},{row % 2}" for row in range(40)), header=",".join([*others, "fare", "tips"])),
    )
    assert sum(done.rows.values()) == 80
    assert [done.types[f"c{column}"] for column in range(4)] == ["none", "int", "float", "string"]


FOLDS = ["1,1,eval", "2,0,train", "3,1,train", "4,0,eval", "5,0,train"]


def _ingest_folds(folder: Path, rows: list[str]) -> Ingested:
    (folder / "a.csv").write_text(_csv(*rows, header="fare,tips,fold"))
    ingestion = Ingestion(RawColumns.of(_table(), "fold"), {"train": 1, "eval": 1})
    return ingest([str(folder / "a.csv")], str(folder / "out"), ingestion, lambda: beam.Pipeline(runner=InlineRunner()))


def test_a_column_names_the_splits_and_is_not_kept(tmp_path: Path) -> None:
    assert _ingest_folds(tmp_path, FOLDS).rows == {"train": 3, "eval": 2}
    assert [row["fare"][1] for row in _read(tmp_path)] == [1.0, 4.0, 2.0, 3.0, 5.0]
    assert {tuple(sorted(row)) for row in _read(tmp_path)} == {("fare", "tips")}


@pytest.mark.parametrize(("row", "received"), [("6,1,tset", "line 7: tset"), ("6,1,", "line 7: ")])
def test_a_split_that_is_not_there_is_refused(tmp_path: Path, row: str, received: str) -> None:
    message = f"(?s)'fold' must name one of the splits train, eval; 1 row has none of them.*Received: {received}"
    with pytest.raises(DataError, match=message):
        _ingest_folds(tmp_path, [*FOLDS, row])
    assert not list(tmp_path.glob("out/*"))


def test_the_column_of_the_splits_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(_csv("1,1,1"))
    ingestion = Ingestion(RawColumns.of(_table(), "fold"), {"train": 1, "eval": 1})
    with pytest.raises(DataError, match=r"(?s)'fold' is missing; it is read by data\.split_column"):
        ingest(
            [str(tmp_path / "a.csv")], str(tmp_path / "out"), ingestion, lambda: beam.Pipeline(runner=InlineRunner())
        )


def test_small_files_are_read_together_and_faults_are_told_apart(tmp_path: Path) -> None:
    wrong = _csv("1,2,3,4", "1,2,3")
    with pytest.raises(DataError) as caught:
        _ingest(tmp_path, _csv(*ROWS), _csv(*ROWS).rstrip("\n"), wrong)
    assert "2.csv, line 2" in str(caught.value)
    assert not list(tmp_path.glob("out/Split-*"))


@pytest.mark.slow
def test_small_files_give_what_they_give_alone(tmp_path: Path) -> None:
    files = [
        _csv(*ROWS[:5]),
        _csv(*ROWS[5:9]).replace("\n", "\r\n"),
        _csv(*ROWS[9:12]).rstrip("\n"),
        gzip.compress(_csv(*ROWS[12:20]).encode()),
        _csv("", '1,2,"7"', ""),
        _csv(*(",".join(reversed(row.split(","))) for row in ROWS[20:30]), header="n,tips,fare"),
        _csv(*ROWS[30:]),
    ]
    (tmp_path / "together").mkdir()
    (tmp_path / "alone").mkdir()
    together = _ingest(tmp_path / "together", *files)
    alone = _ingest(tmp_path / "alone", *files, block_bytes=1)
    assert together == alone
    assert len(list((tmp_path / "together").glob("out/Split-train/*"))) == 1
    assert len(list((tmp_path / "alone").glob("out/Split-train/*"))) > len(files)
    assert _read(tmp_path / "together") == _read(tmp_path / "alone")


def test_faults_of_small_files_are_counted_once(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        _ingest(tmp_path, _csv(*ROWS), _csv("1,,3", *ROWS, "1,x,3"))
    assert "1.csv, line 43" in str(caught.value)
    assert "0.csv" not in str(caught.value)


def test_beams_own_runner_writes_the_same_bytes(tmp_path: Path) -> None:
    """The other tests use the engine that users have on one machine."""
    (tmp_path / "0.csv").write_text(_csv(*ROWS))
    ingestion = Ingestion(RawColumns.of(_table()), {"train": 2, "eval": 1}, block_bytes=100)
    written = []
    for runner in (InlineRunner(), FnApiRunner()):
        out = tmp_path / type(runner).__name__
        ingest([str(tmp_path / "0.csv")], str(out), ingestion, lambda runner=runner: beam.Pipeline(runner=runner))
        written.append({str(file.relative_to(out)): file.read_bytes() for file in out.rglob("*") if file.is_file()})
    assert written[0] == written[1]
    assert len(written[0]) > 4


def test_after_an_error_no_further_block_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "0.csv").write_text(_csv(*ROWS))
    reports: list[Report] = []

    def counted(*arguments: Any) -> Report:
        reports.append(write_blocks(*arguments))
        return reports[-1]

    def gone() -> beam.Pipeline:
        (tmp_path / "0.csv").unlink(missing_ok=True)  # as a store that dies once the blocks are known
        return beam.Pipeline(runner=InlineRunner())

    monkeypatch.setattr(ingest_module, "write_blocks", counted)
    ingestion = Ingestion(RawColumns.of(_table()), {"train": 2, "eval": 1}, block_bytes=20)
    with pytest.raises(DataError, match=r"(?s)The data cannot be read: No such file.*0\.csv"):
        ingest([str(tmp_path / "0.csv")], str(tmp_path / "out"), ingestion, gone)
    assert len(reports) == 1
    assert os.listdir(tmp_path / "out") == []
