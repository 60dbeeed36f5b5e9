from __future__ import annotations

import numpy as np

from models.recall import recall_at


def test_the_wanted_ids_are_first_second_and_absent() -> None:
    found = np.array([[7, 5, 1], [5, 7, 1], [1, 2, 3], [9, 8, 7]])
    assert recall_at(found, np.array([7, 7, 7, 7]), [1, 2, 3]) == {1: 0.25, 2: 0.5, 3: 0.75}


def test_fewer_candidates_than_the_depth() -> None:
    assert recall_at(np.array([[1], [2]]), np.array([1, 1]), [1, 10]) == {1: 0.5, 10: 0.5}
