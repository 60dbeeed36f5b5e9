"""The features of tf.Examples against the feature table, as `column_check` for CSV."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from tensorflow.core.example.example_pb2 import Example

from components.example_gen.record_file import RecordFile
from components.example_gen.report import Report
from schemas.errors import DataError
from schemas.raw_columns import RawColumns


def check_features(report: Report, files: Sequence[str], table: RawColumns) -> None:
    """Checks that every column of the feature table has a value in some record.

    Args:
        report: the reports of all blocks, put together.
        files: the files.
        table: the feature table.

    Raises:
        DataError: names the feature, what reads it, and the nearest feature that is there.
    """
    if report.error:  # not everything was read
        return
    for column in table.columns:
        if report.filled.get(column):
            continue
        there = _first_features(files)
        near = get_close_matches(column, there, n=1)
        raise DataError(
            f"Feature {column!r} is missing in all of {report.read} records; it is read by {table.readers[column]}.",
            where=files[0],
            received=f"features of the first record: {', '.join(there)[:300]}",
            fix=f"{f'Is it {near[0]!r}, renamed or misspelt? ' if near else ''}"
            "Name features as in the feature table, or change the table.",
        )


def _first_features(files: Sequence[str]) -> list[str]:
    for path in files:
        with RecordFile(path) as file:
            for _, record in file.records():
                return sorted(Example.FromString(record).features.feature)
    return []
