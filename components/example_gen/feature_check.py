"""The features of tf.Examples against the feature table, as `column_check` for CSV."""

from __future__ import annotations

from collections.abc import Sequence

from tensorflow.core.example.example_pb2 import Example

from components.example_gen.missing_column import missing_column
from components.example_gen.record_file import RecordFile
from components.example_gen.report import Report
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
        scope = f"in all of {report.read} records"
        names = {"kind": "feature", "scope": scope, "shown_as": "features of the first record"}
        raise missing_column(column, table, _first_features(files), files[0], **names)


def _first_features(files: Sequence[str]) -> list[str]:
    for path in files:
        with RecordFile(path) as file:
            for _, record in file.records():
                return sorted(Example.FromString(record).features.feature)
    return []
