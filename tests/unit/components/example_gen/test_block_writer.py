"""One block to shards and a report."""

from __future__ import annotations

import csv
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.example_gen.block_writer import write_blocks
from components.example_gen.csv_blocks import split_blocks
from components.example_gen.csv_header import read_header
from components.example_gen.report import Report
from components.example_gen.values import ValueType
from components.example_gen.work import Work
from schemas.features import BinaryLabel, Dtype

LABEL = BinaryLabel(kind="binary", expression="y > 0")


def _work(folder: Path, declared: dict[str, Dtype], types: dict[str, ValueType] | None = None, **options: Any) -> Work:
    fields: dict[str, Any] = {"drop_unlabelled": False, "delimiter": ",", "missing": (), **options}
    folders = {name: str(folder / f"Split-{name}") for name in ("train", "eval")}
    return Work(folders, (2, 1), declared, types or {}, LABEL, **fields)


def _write(folder: Path, work: Work) -> Report:
    (block,) = split_blocks(read_header(str(folder / "a.csv"), ","), ",")
    return write_blocks(0, 1, [block], work)


def _examples(folder: Path) -> list[tf.train.Example]:
    paths = sorted(str(path) for path in folder.glob("Split-*/*.gz"))
    return [
        tf.train.Example.FromString(record) for record in tf.data.TFRecordDataset(paths, "GZIP").as_numpy_iterator()
    ]


def test_rows_and_counts(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("y,n\n1,1\n0,2\n0,3\n")
    report = _write(tmp_path, _work(tmp_path, {"y": "float", "n": "int"}))
    assert (report.read, sum(report.written.values()), report.labels) == (3, 3, {"yes": 1, "no": 2})
    assert sorted(example.features.feature["n"].int64_list.value[0] for example in _examples(tmp_path)) == [1, 2, 3]


def test_wider_type_than_assumed_is_reported_and_nothing_written(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("y,n\n1,1\n0,2.5\n")
    work = _work(tmp_path, {"y": "float"}, {"n": "int"})
    report = _write(tmp_path, work)
    assert report.types == {"n": "float"}
    assert not work.wants(report)
    assert _examples(tmp_path) == []


def test_every_column_at_fault_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("y,n,m\n1,a,1\n0,2,b\n0,c,3\n")
    report = _write(tmp_path, _work(tmp_path, {"y": "float", "n": "int", "m": "int"}))
    assert {name: found.count for name, found in report.bad_values.items()} == {"n": 2, "m": 1}
    assert [line for _, line, _ in report.bad_values["n"].samples] == ["line 2", "line 4"]
    assert [os.listdir(tmp_path / f"Split-{name}") for name in ("train", "eval")] == [[], []]


def test_a_folder_that_is_none_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("y,n\n1,1\n0,2\n")
    os.symlink("/dev/full", tmp_path / "full")
    report = _write(tmp_path, _work(tmp_path / "full", {"y": "float", "n": "int"}))
    assert report.error is not None
    assert report.error["kind"] == "RunError"
    assert "cannot be written" in (report.error["what"] or "")


_CELLS = st.tuples(
    st.none() | st.floats(width=32, allow_nan=False),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), min_size=1, max_size=6),
)


@pytest.mark.slow
@settings(max_examples=30)
@given(st.lists(_CELLS, min_size=1, max_size=6), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_what_is_written_as_csv_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, ...]], quoting: Any
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    with open(folder / "a.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=quoting)
        writer.writerow(["y", "i", "number", "whole", "text"])
        for index, row in enumerate(rows):
            writer.writerow([1, index, *("" if value is None else value for value in row)])
    declared: dict[str, Dtype] = {"y": "float", "i": "int", "number": "float", "whole": "int", "text": "string"}
    assert _write(folder, _work(folder, declared)).sound
    examples = sorted(_examples(folder), key=lambda example: example.features.feature["i"].int64_list.value[0])
    for example, (number, whole, text) in zip(examples, rows, strict=True):
        features = example.features.feature
        assert list(features["number"].float_list.value) == ([] if number is None else [number])
        assert list(features["whole"].int64_list.value) == ([] if whole is None else [whole])
        assert list(features["text"].bytes_list.value) == ([] if text is None else [text.encode()])


def test_timestamps_that_cannot_be_read_are_reported_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("y,at\n1,2022-05-16\n0,16/05/2022\n0,\n1,2022-02-30\n")
    work = replace(_work(tmp_path, {"y": "float", "at": "string"}), timestamps=("at",))
    report = _write(tmp_path, work)
    assert [(line, text) for _, line, text in report.bad_values["at"].samples] == [
        ("line 3", "16/05/2022"),
        ("line 5", "2022-02-30"),
    ]
    assert report.reasons["at"] == "not ISO 8601"
