from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline_testing.rows import column_kinds, record_batch, to_rows
from schemas.errors import DataError


def test_every_row_gets_every_column() -> None:
    assert to_rows([{"a": 1}, {"b": "x"}]) == [{"a": 1, "b": None}, {"a": None, "b": "x"}]


def test_csv_text_has_the_narrowest_types_and_may_be_indented() -> None:
    text = """
        fare,pay,hour
        1.5,Cash,3
        ,"a, b",
    """
    assert to_rows(text) == [{"fare": 1.5, "pay": "Cash", "hour": 3}, {"fare": None, "pay": "a, b", "hour": None}]


def test_a_csv_line_of_another_length_is_named() -> None:
    with pytest.raises(DataError, match=r"(?s)line 3.*1 fields instead of 2"):
        to_rows("a,b\n1,2\n3")


def test_a_data_frame_with_missing_values() -> None:
    frame = pd.DataFrame({"fare": [1.5, float("nan")], "pay": ["Cash", None], "hour": pd.array([3, None], "Int64")})
    assert to_rows(frame) == [{"fare": 1.5, "pay": "Cash", "hour": 3}, {"fare": None, "pay": None, "hour": None}]


def test_numpy_values_become_pythons() -> None:
    assert to_rows([{"a": np.float32(0.5), "b": np.array([1, 2]), "c": True}]) == [{"a": 0.5, "b": [1, 2], "c": 1}]


def test_nan_in_a_dict_is_a_value_and_not_missing() -> None:
    assert column_kinds(to_rows([{"a": float("nan")}, {"a": None}])) == {"a": "float"}


def test_whole_numbers_among_others_are_floats() -> None:
    assert column_kinds(to_rows([{"a": 1, "b": 1, "c": "x", "d": None}, {"a": 0.5}])) == {
        "a": "float",
        "b": "int",
        "c": "bytes",
        "d": "none",
    }


def test_numbers_among_texts_are_refused() -> None:
    with pytest.raises(DataError, match=r"(?s)column 'a'.*int, str"):
        column_kinds(to_rows([{"a": 1}, {"a": "x"}]))


def test_what_is_no_row_is_refused() -> None:
    with pytest.raises(DataError, match=r"(?s)no rows.*int: 3"):
        to_rows([3])


def test_a_record_batch_tells_missing_values_from_empty_lists() -> None:
    batch = record_batch(to_rows([{"a": 1.5, "b": None}, {"a": [], "b": None}, {"a": None, "b": None}]))
    assert batch.to_pydict() == {"a": [[1.5], [], None], "b": [None, None, None]}
