"""Values that are not the numbers that the feature table reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.features import FeatureTable
from tests.unit.components.example_gen.csv_ingestion import ROWS, csv_text, refuses


def test_text_where_numbers_belong(tmp_path: Path) -> None:
    refuses(
        tmp_path,
        "Column 'fare' must hold numbers; 7 of its values are not a number.*0.csv, line 42, column 'fare'"
        ".*line 42: cheap; line 43: cheap;.*and 2 more.*missing_values",
        csv_text(*ROWS, *["cheap,2,3"] * 7),
    )


def test_bad_values_of_all_files_are_counted(tmp_path: Path) -> None:
    refuses(tmp_path, "2 of its values.*line 42: a; .*1.csv, line 2: b", csv_text(*ROWS, "a,1,1"), csv_text("b,1,1"))


def test_number_beyond_int64(tmp_path: Path) -> None:
    features = {"fare": {"kind": "hashed", "dtype": "int", "buckets": 9}}
    table = FeatureTable.model_validate({"features": features, "label": {"kind": "binary", "expression": "tips > 0.5"}})
    refuses(tmp_path, "outside the range of int64.*line 42: 9{30}", csv_text(*ROWS, "9" * 30 + ",1,1"), table=table)


def test_number_beyond_float32(tmp_path: Path) -> None:
    refuses(tmp_path, "outside the range of float32.*line 42: 1e39", csv_text(*ROWS, "1e39,1,1"))


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
    refuses(tmp_path, f"'fare' must hold numbers.*line 42.*{hint}", csv_text(*ROWS, f"{text},1,3"))


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
    refuses(
        tmp_path,
        f"'n' must hold whole numbers; 1 of its values is {reason}",
        csv_text(*ROWS, f"1,1,{text}"),
        table=table,
    )
