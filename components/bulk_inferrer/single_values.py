"""A column of examples as a column of values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def single_values(column: Any) -> Any:
    """The one value of each row's list, null where it has none."""
    if pa.types.is_null(column.type):
        return column
    lengths = np.asarray(pc.fill_null(pc.list_value_length(column), 0))
    rows = pa.array(np.cumsum(lengths) - 1, mask=lengths == 0)
    return pc.list_flatten(column).take(rows)
