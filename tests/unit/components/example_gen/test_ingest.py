"""Ingestion as a whole: rows in, examples out."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from components.example_gen import ingest as ingest_module
from components.example_gen.block_writer import write_blocks
from components.example_gen.ingest import Ingestion, ingest
from components.example_gen.report import Report
from runners.inline import InlineRunner
from schemas.errors import DataError, RunError
from schemas.raw_columns import RawColumns
from tests.unit.components.example_gen.csv_ingestion import ROWS, csv_text, examples, ingest_files, table_of


def test_rows_become_examples(tmp_path: Path) -> None:
    done = ingest_files(tmp_path, csv_text(*ROWS))
    assert sum(done.rows.values()) == 40
    assert min(done.rows.values()) > 0
    assert done.types == {"fare": "float", "tips": "float", "n": "int"}
    rows = examples(tmp_path)
    assert sorted(row["n"][1] for row in rows) == list(range(40))
    assert {row["fare"][0] for row in rows} == {"float_list"}
    assert sorted(os.listdir(tmp_path / "out")) == ["Columns-eval", "Columns-train", "Split-eval", "Split-train"]


def test_equal_input_gives_equal_shards(tmp_path: Path) -> None:
    shards = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        ingest_files(tmp_path / name, csv_text(*ROWS), csv_text(*ROWS[:3]))
        shards.append({path.name: path.read_bytes() for path in (tmp_path / name).glob("out/*/*")})
    assert shards[0] == shards[1]
    assert set(shards[0]) == {"data_tfrecord-00000-of-00001.gz", "data_tfrecord-00000-of-00001.arrow"}


def test_files_may_order_their_columns_differently(tmp_path: Path) -> None:
    swapped = csv_text(*(",".join(reversed(row.split(","))) for row in ROWS), header="n,tips,fare")
    ingest_files(tmp_path, csv_text(*ROWS), swapped)
    rows = sorted(examples(tmp_path), key=lambda row: row["n"][1])
    assert rows[0::2] == rows[1::2]


def test_later_file_widens_the_type_of_all(tmp_path: Path) -> None:
    done = ingest_files(tmp_path, csv_text(*ROWS), csv_text("1,2,x"))
    assert done.types["n"] == "string"
    assert {row["n"][0] for row in examples(tmp_path)} == {"bytes_list"}


def test_later_rows_widen_the_type(tmp_path: Path) -> None:
    many = [f"{i},{i % 2},{i}" for i in range(20_000)]
    done = ingest_files(tmp_path, csv_text(*many, "1,2,2.5"))
    assert done.types["n"] == "float"
    assert sum(done.rows.values()) == 20_001


def test_many_blocks_give_the_same_rows(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    one = ingest_files(tmp_path / "one", csv_text(*ROWS))
    (tmp_path / "many").mkdir()
    many = ingest_files(tmp_path / "many", csv_text(*ROWS), block_bytes=100)
    assert len(list((tmp_path / "many").glob("out/Split-train/*"))) > 2
    assert many == one
    assert examples(tmp_path / "many") == examples(tmp_path / "one")


def test_column_without_values_has_no_type(tmp_path: Path) -> None:
    done = ingest_files(tmp_path, csv_text(*(row.rsplit(",", 1)[0] + "," for row in ROWS)))
    assert done.types["n"] == "none"
    assert {row["n"] for row in examples(tmp_path)} == {(None, None)}


def test_missing_value_is_an_empty_list_of_the_type(tmp_path: Path) -> None:
    ingest_files(tmp_path, csv_text(*ROWS, ",7,"))
    assert [row for row in examples(tmp_path) if row["n"][1] is None] == [
        {"fare": ("float_list", None), "tips": ("float_list", 7.0), "n": ("int64_list", None)}
    ]


def test_byte_order_mark_gzip_and_crlf(tmp_path: Path) -> None:
    text = b"\xef\xbb\xbf" + csv_text(*ROWS).replace("\n", "\r\n").encode()
    done = ingest_files(tmp_path, gzip.compress(text))
    assert sum(done.rows.values()) == 40
    assert set(examples(tmp_path)[0]) == {"fare", "tips", "n"}


def test_other_delimiter(tmp_path: Path) -> None:
    assert sum(ingest_files(tmp_path, csv_text(*ROWS).replace(",", ";"), delimiter=";").rows.values()) == 40


def test_nan_and_infinity_are_numbers(tmp_path: Path) -> None:
    assert sum(ingest_files(tmp_path, csv_text(*ROWS, "nan,1,1", "inf,1,1", "-inf,1,1")).rows.values()) == 43


def test_output_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    with pytest.raises(RunError, match="cannot be written"):
        ingest_files(tmp_path, csv_text(*ROWS))


def test_columns_of_the_table_that_are_empty_are_told(tmp_path: Path) -> None:
    assert ingest_files(tmp_path, csv_text(*(f",{i % 2},{i}" for i in range(40)))).empty == ("fare",)
    (tmp_path / "again").mkdir()
    assert ingest_files(tmp_path / "again", csv_text(*ROWS)).empty == ()


def test_a_field_of_a_megabyte_is_kept_whole(tmp_path: Path) -> None:
    ingest_files(tmp_path, csv_text(*ROWS, f"1,1,{'x' * 1_000_000}"))
    assert max(len(row["n"][1]) for row in examples(tmp_path)) == 1_000_000


def test_a_quoted_field_larger_than_a_block(tmp_path: Path) -> None:
    text = "line\n" * 1000
    done = ingest_files(tmp_path, csv_text(*ROWS, f'1,1,"{text}"', *ROWS), block_bytes=100)
    assert sum(done.rows.values()) == 81
    assert [row["n"][1] for row in examples(tmp_path) if row["fare"][1] == 1.0 and len(row["n"][1]) > 9] == [
        text.encode()
    ]


@pytest.mark.slow
def test_ten_thousand_columns(tmp_path: Path) -> None:
    others = [f"c{column}" for column in range(10_000)]
    values = ",".join(("", "1", "2.5", "x")[column % 4] for column in range(10_000))
    done = ingest_files(
        tmp_path,
        csv_text(*(f"{row},{row % 2},{values}" for row in range(40)), header=",".join(["fare", "tips", *others])),
        csv_text(*(f"{values},{row},{row % 2}" for row in range(40)), header=",".join([*others, "fare", "tips"])),
    )
    assert sum(done.rows.values()) == 80
    assert [done.types[f"c{column}"] for column in range(4)] == ["none", "int", "float", "string"]


def test_beams_own_runner_writes_the_same_bytes(tmp_path: Path) -> None:
    """The other tests use the engine that users have on one machine."""
    (tmp_path / "0.csv").write_text(csv_text(*ROWS))
    ingestion = Ingestion(RawColumns.of(table_of()), {"train": 2, "eval": 1}, block_bytes=100)
    written = []
    for runner in (InlineRunner(), FnApiRunner()):
        out = tmp_path / type(runner).__name__
        ingest([str(tmp_path / "0.csv")], str(out), ingestion, lambda runner=runner: beam.Pipeline(runner=runner))
        written.append({str(file.relative_to(out)): file.read_bytes() for file in out.rglob("*") if file.is_file()})
    assert written[0] == written[1]
    assert len(written[0]) > 4


def test_after_an_error_no_further_block_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "0.csv").write_text(csv_text(*ROWS))
    reports: list[Report] = []

    def counted(*arguments: Any) -> Report:
        reports.append(write_blocks(*arguments))
        return reports[-1]

    def gone() -> beam.Pipeline:
        (tmp_path / "0.csv").unlink(missing_ok=True)  # as a store that dies once the blocks are known
        return beam.Pipeline(runner=InlineRunner())

    monkeypatch.setattr(ingest_module, "write_blocks", counted)
    ingestion = Ingestion(RawColumns.of(table_of()), {"train": 2, "eval": 1}, block_bytes=20)
    with pytest.raises(DataError, match=r"(?s)The data cannot be read: No such file.*0\.csv"):
        ingest([str(tmp_path / "0.csv")], str(tmp_path / "out"), ingestion, gone)
    assert len(reports) == 1
    assert os.listdir(tmp_path / "out") == []
