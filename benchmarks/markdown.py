"""Markdown tables."""

from __future__ import annotations

from collections.abc import Sequence


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str | float | int | None]]) -> str:
    """A table whose first column is text and whose other columns are numbers, set right.

    Args:
        header: names of the columns.
        rows: cells; None is shown as a dash, a float with three significant digits at least.

    Raises:
        ValueError: a row has another number of cells than the header.
    """
    table = [list(header), *([_cell(cell) for cell in row] for row in rows)]
    if any(len(row) != len(header) for row in table):
        raise ValueError(f"every row needs {len(header)} cells. Received: {[len(row) for row in table]}")
    widths = [max(3, *(len(row[column]) for row in table)) for column in range(len(header))]
    rule = [("-" * (width - 1) + ":") if column else "-" * width for column, width in enumerate(widths)]
    lines = [
        [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        for row in table
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], rule, *lines[1:]]) + "\n"


def _cell(value: str | float | int | None) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"
    return str(value).replace("|", "\\|")
