"""Rows of a file of typed columns that are read together."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RowGroup:
    """Rows that are read together.

    Args:
        start: number of the group in the file, from 0; of Avro the byte at which it starts.
        rows: how many they are.
        bytes: that they take in memory, about; of Avro those of the file.
    """

    start: int
    rows: int
    bytes: int
