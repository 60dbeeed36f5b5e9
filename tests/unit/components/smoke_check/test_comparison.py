"""Answers beside what they should be."""

from __future__ import annotations

import numpy as np

from components.smoke_check.comparison import Difference, differences


def test_a_number_may_differ_by_the_tolerance_and_its_share_of_the_value() -> None:
    # 0.1 * (1 + 2) = 0.3 around 2, and 0.1 around 0.
    wanted = {"p": np.array([[2.0, 0.0], [2.0, 0.0], [2.0, 0.0]], np.float32)}
    given = {"p": np.array([[2.25, -0.05], [2.5, 0.0], [2.0, 0.125]], np.float32)}
    assert differences(wanted, given, [4, 5, 6], 0.1) == [
        Difference("p", 5, "[2., 0.]", "[2.5, 0. ]"),
        Difference("p", 6, "[2., 0.]", "[2.   , 0.125]"),
    ]


def test_what_is_no_number_is_one_and_whole_numbers_and_texts_are_exact() -> None:
    wanted = {"n": np.array([7, 8]), "nan": np.array([np.nan, 1.0]), "t": np.array([b"a", b"b"], object)}
    given = {"n": np.array([7, 9]), "nan": np.array([np.nan, np.nan]), "t": np.array([b"a", b"B"], object)}
    assert [(one.output, one.row) for one in differences(wanted, given, [0, 1], 10.0)] == [
        ("n", 1), ("nan", 1), ("t", 1)
    ]  # fmt: skip
    assert differences(wanted, wanted, [0, 1], 0.0) == []


def test_outputs_that_are_missing_or_of_another_shape_are_no_matter_of_rows() -> None:
    wanted = {"a": np.array([1.0]), "b": np.array([1.0]), "whole": np.array(3.0)}
    given = {"b": np.array([[1.0]]), "whole": np.array(4.0), "more": np.array([1.0])}
    assert differences(wanted, given, [0], 1e-4) == [
        Difference("a", None, "[1.]", "nothing"),
        Difference("b", None, "shape (1,)", "shape (1, 1)"),
        Difference("whole", None, "3.", "4."),
    ]
