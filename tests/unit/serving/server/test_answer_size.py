from __future__ import annotations

import numpy as np

from serving.server.answer_size import is_small


def test_numbers_and_bytes_of_strings_are_counted_together() -> None:
    outputs = {"y": np.zeros((2, 2)), "text": np.array([b"abc", b""], object)}  # 4 numbers, 2 strings of 3 bytes
    assert is_small(outputs, 9)
    assert not is_small(outputs, 8)
