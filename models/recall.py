"""Recall at k."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def recall_at(found: npt.NDArray[np.int64], wanted: npt.NDArray[np.int64], depths: Sequence[int]) -> dict[int, float]:
    """The share of queries whose one wanted candidate is among the first k that were found.

    Args:
        found: ids, the best first, [queries, at least the largest depth or all that there are].
        wanted: ids, [queries].
        depths: values of k.

    Returns:
        {k: recall in [0, 1]}.

    >>> recall_at(np.array([[5, 7], [7, 6], [1, 2]]), np.array([7, 7, 3]), [1, 2])
    {1: 0.3333333333333333, 2: 0.6666666666666666}
    """
    hits = found == wanted[:, np.newaxis]
    return {depth: float(hits[:, :depth].any(axis=1).mean()) for depth in depths}
