"""Files shared out among readers."""

from __future__ import annotations

from collections.abc import Sequence

_UNEVEN = 0.01


def file_shards(file_rows: Sequence[int], readers: int) -> list[list[int]] | None:
    """Which files each reader reads, so that all read about as many rows: the next largest goes to who has fewest.

    Args:
        file_rows: rows of each file.
        readers: readers.

    Returns:
        Numbers of the files of each reader, ascending; None where there are fewer files than readers, or where one
        reader would read over 1 % more rows than another, and so pass more seldom over its own.
    """
    shares: list[list[int]] = [[] for _ in range(readers)]
    rows = [0] * readers
    for number in sorted(range(len(file_rows)), key=lambda number: (-file_rows[number], number)):
        least = rows.index(min(rows))
        shares[least].append(number)
        rows[least] += file_rows[number]
    if not min(rows) or max(rows) > (1 + _UNEVEN) * min(rows):
        return None
    return [sorted(share) for share in shares]
