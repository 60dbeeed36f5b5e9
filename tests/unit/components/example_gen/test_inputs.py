"""From data.path to files and span."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.example_gen.inputs import Place, find_place, split_path
from schemas.errors import DataError


@pytest.mark.parametrize(
    ("path", "base", "pattern"),
    [
        ("data.csv", ".", "data.csv"),
        ("/data.csv", "/", "data.csv"),
        ("a/b/c.csv", "a/b", "c.csv"),
        ("/a/b/", "/a", "b"),
        ("/a/s-{SPAN}/*.csv", "/a", "s-{SPAN}/*.csv"),
        ("a*/b/c.csv", ".", "a*/b/c.csv"),
        ("package:tfx/examples/data.csv", "package:tfx/examples", "data.csv"),
        ("s3://bucket/a/b.csv", "s3://bucket/a", "b.csv"),
        ("s3://bucket/{SPAN}/*.csv", "s3://bucket", "{SPAN}/*.csv"),
        ("s3://bucket/", "s3://bucket", ""),
        ("hdfs://host:9870/a.csv", "hdfs://host:9870", "a.csv"),
        ("file:///a.csv", "file:///", "a.csv"),
    ],
)
def test_fixed_folder_and_pattern(path: str, base: str, pattern: str) -> None:
    assert split_path(path) == (base, pattern)


@pytest.fixture
def spans(tmp_path: Path) -> Path:
    for name in ("1-v1.csv", "2-v1.csv", "2-v2.csv", "10-v1.csv"):
        (tmp_path / name).write_text("a\n1\n")
    return tmp_path


def test_newest_span_and_version(spans: Path) -> None:
    assert find_place(str(spans), "{SPAN}-v*.csv") == Place(str(spans), "10-v*.csv", 10)


def test_chosen_span_in_its_newest_version(spans: Path) -> None:
    found = find_place(str(spans), "{SPAN}-v{VERSION}.csv", 2)
    assert found == Place(str(spans), "2-v2.csv", 2, 2)


def test_span_zero(tmp_path: Path) -> None:
    (tmp_path / "0.csv").write_text("a\n1\n")
    assert find_place(str(tmp_path), "{SPAN}.csv", 0).span == 0


def test_folder_of_a_span(tmp_path: Path) -> None:
    (tmp_path / "2024-01-02").mkdir()
    (tmp_path / "2024-01-02" / "a.csv").write_text("a\n1\n")
    found = find_place(str(tmp_path), "{YYYY}-{MM}-{DD}")
    assert (found.files, found.span) == ((f"{tmp_path}/2024-01-02/a.csv",), 19724)


def test_absent_span_lists_those_there(spans: Path) -> None:
    with pytest.raises(DataError, match="(?s)No data was found for span 3.*spans 1, 2, 10"):
        find_place(str(spans), "{SPAN}-v{VERSION}.csv", 3)


def test_no_span_at_all(spans: Path) -> None:
    with pytest.raises(DataError, match="(?s)No data was found for any span.*no name that fits; .* holds 1-v1.csv"):
        find_place(str(spans), "{YYYY}-{MM}-{DD}.csv")


def test_span_asked_of_a_plain_path(spans: Path) -> None:
    with pytest.raises(DataError, match="does not name spans"):
        find_place(str(spans), "1-v1.csv", 1)


def test_two_names_for_one_span(tmp_path: Path) -> None:
    for name in ("1.csv", "01.csv"):
        (tmp_path / name).write_text("a\n1\n")
    with pytest.raises(DataError, match="(?s)Two names stand for one span.*01.csv, 1.csv"):
        find_place(str(tmp_path), "{SPAN}.csv")


def test_another_scheme_is_refused() -> None:
    with pytest.raises(DataError, match=r"(?s)not read from there.*http://"):
        _ = find_place(*split_path("http://bucket/a.csv")).files
