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
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.labels import TypedColumn


def row_ids(name: str, numbers: Sequence[int]) -> TypedColumn:
    """The ids of rows.

    Args:
        name: path of the file, without `common_folder`.
        numbers: of the rows in it.
    """
    ids = pc.binary_join_element_wise(pa.scalar(name), pa.array(numbers, pa.int64()).cast(pa.string()), ":")
    return "string", pa.DictionaryArray.from_arrays(pa.array(np.arange(len(ids), dtype=np.int32)), ids)


def common_folder(files: Sequence[str]) -> str:
    """The beginning of the paths up to the last folder, with its slash, that all files are in."""
    prefix = os.path.commonprefix(list(files))
    return prefix[: prefix.rfind("/") + 1]
