"""The members of JSON lines against the feature table, as `feature_check` for TFRecords."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from components.example_gen.json_blocks import JsonBlock, read_json_pieces
from components.example_gen.missing_column import missing_column
from components.example_gen.report import Report
from schemas.errors import DataError
from schemas.raw_columns import RawColumns


def check_members(report: Report, files: Sequence[str], table: RawColumns) -> None:
    """Checks that every column of the feature table is a member of some line.

    Args:
        report: the reports of all blocks, put together.
        files: the files.
        table: the feature table.

    Raises:
        DataError: there is no row; or names the column, what reads it, and the nearest member that is there.
    """
    if report.error:  # not everything was read
        return
    if not report.read:
        raise DataError("The data holds no line.", where=files[0], received="0 lines", fix="Give data with lines.")
    for column in table.columns:
        if report.filled.get(column) or report.rejected == report.read:
            continue
        there: dict[str, None] = {}
        for row in _objects(files):
            there.update(dict.fromkeys(row))
            if column in row:  # and null, or empty
                break
        else:
            scope = f"in all of {report.read} lines"
            raise missing_column(column, table, there, files[0], kind="member", scope=scope, shown_as="members")


def _objects(files: Sequence[str]) -> Iterator[dict[str, object]]:
    for path in files:
        for piece in read_json_pieces(JsonBlock(path, (), 1, 0)):
            for _, text in piece.lines:
                try:
                    row = json.loads(text.decode("utf-8-sig"))
                except (ValueError, RecursionError):  # reported elsewhere
                    continue
                if isinstance(row, dict):
                    yield row
