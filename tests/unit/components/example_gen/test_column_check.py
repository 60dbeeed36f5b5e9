"""Columns of files against each other and against the table."""

from __future__ import annotations

import pytest

from components.example_gen.column_check import check_columns
from components.example_gen.csv_header import Header
from schemas.errors import DataError
from schemas.features import FeatureTable
from schemas.raw_columns import RawColumns

TABLE = RawColumns.of(
    FeatureTable.model_validate(
        {
            "features": {"fare": {"kind": "numeric"}, "far": {"kind": "numeric", "column": "trip_miles"}},
            "label": {"kind": "binary", "expression": "tips > 1"},
        }
    )
)


def _header(*names: str, path: str = "a.csv") -> Header:
    return Header(path, names, 0, 2)


def test_order_may_differ() -> None:
    check_columns([_header("fare", "tips", "trip_miles"), _header("trip_miles", "fare", "tips")], TABLE, ",")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("fare", "trip_miles", "tip"), "Column 'tips' is missing; it is read by the label.*Is it 'tip', renamed"),
        (("fare", "trip_mile", "tips"), "Column 'trip_miles' is missing; it is read by feature 'far'.*'trip_mile'"),
        (("fare;trip_miles;tips",), "Column 'fare' is missing.*separated by semicolons"),
        (("fare\ttrip_miles\ttips",), "separated by tabs"),
    ],
)
def test_missing_column(names: tuple[str, ...], message: str) -> None:
    with pytest.raises(DataError, match="(?s)" + message):
        check_columns([_header(*names)], TABLE, ",")


def test_files_that_differ() -> None:
    headers = [_header("fare", "tips", "trip_miles"), _header("fare", "tips", "miles", path="b.csv")]
    with pytest.raises(DataError, match=r"(?s)same columns.*b.csv.*with a.csv, it lacks trip_miles and adds miles"):
        check_columns(headers, TABLE, ",")
