"""The ids of rows: the file, and where in it the row is.

    trips.csv:2              the row that starts in line 2 of a CSV file, the one behind the header
    day-1/part-0.parquet:1   the first row, or record, of any other file

The numbers are those of error messages. Of paths only the part below the folder that all files of the run are in
counts, so that an id depends on the data alone: not on where they lie, nor on how many processes read them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.csv_blocks import Piece
from components.example_gen.csv_columns import lines_of
from components.example_gen.joined_pieces import AnyPiece
from components.example_gen.labels import TypedColumn


def row_ids(piece: AnyPiece, rows: int, delimiter: str, folder: str) -> TypedColumn:
    """The ids of all rows of a piece.

    Args:
        piece: of one file.
        rows: how many it has.
        delimiter: between fields of CSV.
        folder: what is left out of the file's path, from `common_folder`.
    """
    numbers = _lines(piece, rows, delimiter) if isinstance(piece, Piece) else np.arange(rows) + piece.first
    name = pa.scalar(piece.path.removeprefix(folder))
    ids = pc.binary_join_element_wise(name, pa.array(numbers, pa.int64()).cast(pa.string()), ":")
    return "string", pa.DictionaryArray.from_arrays(pa.array(np.arange(rows, dtype=np.int32)), ids)


def common_folder(files: Sequence[str]) -> str:
    """The beginning of the paths up to the last folder, with its slash, that all files are in."""
    prefix = os.path.commonprefix(list(files))
    return prefix[: prefix.rfind("/") + 1]


def _lines(piece: Piece, rows: int, delimiter: str) -> npt.NDArray[np.int64]:
    """The line at which each row starts: the next one, unless lines are empty or rows go over several."""
    lines = piece.data.count(b"\n") + (not piece.data.endswith(b"\n"))
    if lines == rows:
        return np.arange(rows) + piece.line
    return np.array(lines_of(piece, delimiter, range(rows)), np.int64)
