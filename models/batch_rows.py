"""The rows of a batch, in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from models.input_fn import Split
from models.order import Order

_MOST = 10


@dataclass(frozen=True)
class BatchRows:
    """Tells which rows a step was trained on.

    Attributes:
        split: the train split.
        order: the order of its rows.
    """

    split: Split
    order: Order

    def of(self, step: int) -> str:
        """The rows of a step, and those of them that hold what is not a finite number.

        Args:
            step: counted from 0.
        """
        rows = self.order.rows_of(tf.constant(step, tf.int64)).numpy()
        said = f"rows {_listed(rows)} of the train split, counted from 0"
        for key, column in (self.split.columns or {}).items():
            if np.issubdtype(column.dtype, np.floating):
                values = column[rows].reshape(len(rows), -1)
                bad = rows[~np.isfinite(values).all(axis=1)]
                if len(bad):
                    said += f"; {key} is not finite in {_listed(bad)}"
        return said


def _listed(rows: np.typing.NDArray[np.int64]) -> str:
    shown = ", ".join(str(row) for row in rows[:_MOST])
    return shown if len(rows) <= _MOST else f"{shown} and {len(rows) - _MOST} more"
