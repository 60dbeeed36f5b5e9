"""Arrays of the types that a signature takes."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.errors import DataError
from serving.client.columns import columns_of, columns_of_rows, joined, length
from serving.client.signature import Signature, TensorSpec

ASKED = Signature(
    "predict",
    {
        "miles": TensorSpec(np.float32, (-1,)),
        "count": TensorSpec(np.int64, (-1,)),
        "paid": TensorSpec(np.bool_, (-1,)),
        "company": TensorSpec(np.object_, (-1,)),
    },
    {},
)


def _only(name: str) -> Signature:
    return Signature("predict", {name: ASKED.inputs[name]}, {})


def test_rows_of_csv_become_typed_columns() -> None:
    rows = [
        {"miles": "1.5", "count": "3", "paid": "true", "company": "Blue", "other": "x"},
        {"miles": "", "count": "-4", "paid": "0", "company": ""},
    ]
    columns = columns_of_rows(rows, ASKED)
    np.testing.assert_array_equal(columns["miles"], np.array([1.5, np.nan], np.float32))
    assert columns["count"].tolist() == [3, -4]
    assert columns["paid"].tolist() == [True, False]
    assert columns["company"].tolist() == [b"Blue", b""]
    assert [columns[name].dtype for name in columns] == [np.float32, np.int64, np.bool_, np.object_]


@pytest.mark.parametrize("row", [{}, {"miles": None}])
def test_a_number_that_is_missing_is_nan(row: dict[str, object]) -> None:
    assert np.isnan(columns_of_rows([row], _only("miles"))["miles"][0])


@pytest.mark.parametrize(
    ("name", "value", "received"),
    [
        ("count", "1.5", "'1.5'"),
        ("count", None, "nothing"),
        ("count", 1.5, "[1.5]"),
        ("miles", "far", "'far'"),
        ("miles", True, "[True]"),
        ("paid", "perhaps", "'perhaps'"),
        ("paid", 1, "[1]"),
        ("company", 7, "[7]"),
    ],
)
def test_a_value_of_another_kind_is_refused(name: str, value: object, received: str) -> None:
    with pytest.raises(DataError, match="not what the model takes") as caught:
        columns_of_rows([{name: value}], _only(name))
    assert caught.value.received == received
    assert name in caught.value.where


def test_a_value_is_told_by_the_name_that_its_rows_have() -> None:
    asked = Signature("predict", {"Trip_Miles": TensorSpec(np.float32, (-1,))}, {})
    assert columns_of_rows([{"Trip Miles": "2"}, {"Trip_Miles": 3}], asked)["Trip_Miles"].tolist() == [2.0, 3.0]
    with pytest.raises(DataError, match="data.missing_values") as caught:
        columns_of_rows([{"Trip Miles": "1"}, {"Trip Miles": "NA"}], asked)
    assert (caught.value.where, caught.value.received) == ("Trip Miles, row 2", "'NA'")
    with pytest.raises(DataError, match="Trip Miles"):
        columns_of_rows([{"Trip Miles": True}], asked)


def test_the_row_of_a_value_is_told() -> None:
    rows = [{"company": "Blue"}, {"company": "Red"}, {"company": "Green"}, {"company": 7}]
    with pytest.raises(DataError) as caught:
        columns_of_rows(rows, _only("company"))
    assert (caught.value.where, caught.value.received) == ("company, row 4", "[7]")


def test_a_list_is_no_value() -> None:
    with pytest.raises(DataError, match="The model takes one value of each row here") as caught:
        columns_of_rows([{"miles": [1.0, 2.0]}], _only("miles"))
    assert (caught.value.where, caught.value.received) == ("miles, row 1", "[1.0, 2.0]")


def test_two_columns_are_not_one_input() -> None:
    taken = Signature("predict", {"Trip_Miles": ASKED.inputs["miles"]}, {})
    with pytest.raises(DataError, match="one input of the model: Trip_Miles") as caught:
        columns_of_rows([{"Trip Miles": 1.0}, {"Trip Miles": 1.0, "Trip_Miles": 2.0}], taken)
    assert (caught.value.where, caught.value.received) == ("row 2", "'Trip Miles', 'Trip_Miles'")
    assert columns_of_rows([{"a b": 1, "a_b": 2, "miles": 3.0}], _only("miles"))["miles"].tolist() == [3.0]


def test_whole_numbers_keep_every_digit() -> None:
    assert columns_of({"count": [2**63 - 1]}, _only("count"))["count"].tolist() == [2**63 - 1]
    unsigned = Signature("predict", {"x": TensorSpec(np.uint64, (-1,))}, {})
    assert columns_of({"x": [2**64 - 1, 0]}, unsigned)["x"].tolist() == [2**64 - 1, 0]
    for values in ([2**63], [2**63 - 1, 2**63], [2**63 - 1, 0.5]):
        with pytest.raises(DataError):
            columns_of({"count": values}, _only("count"))
    assert columns_of({"count": [1.0, -2.0]}, _only("count"))["count"].tolist() == [1, -2]


def test_rows_may_hold_lists_of_one_length() -> None:
    asked = Signature("predict", {"pixels": TensorSpec(np.float32, (-1, 2))}, {})
    assert columns_of_rows([{"pixels": [1, 2]}, {"pixels": [3, 4.5]}], asked)["pixels"].tolist() == [[1, 2], [3, 4.5]]
    with pytest.raises(DataError, match="not what the model takes"):
        columns_of_rows([{"pixels": [1, 2]}, {"pixels": [3]}], asked)


def test_columns_must_be_the_inputs() -> None:
    with pytest.raises(DataError, match="not the signature's inputs") as caught:
        columns_of({"Mile": [1.0]}, _only("miles"))
    assert caught.value.fix == "Is Mile meant to be miles? Add miles. Leave out Mile."


def test_columns_of_other_lengths_are_refused() -> None:
    assert length({"a": np.zeros(2), "b": np.zeros((2, 3))}) == 2
    with pytest.raises(DataError, match="of one length"):
        length({"a": np.zeros(2), "b": np.zeros(3)})
    with pytest.raises(DataError, match="of one length"):
        length({"a": np.array(1.0)})


def test_a_single_value_for_a_request_cannot_be_joined() -> None:
    one = {"rows": np.array(3)}
    assert joined([one])["rows"] == 3
    with pytest.raises(DataError, match="one value for a request"):
        joined([one, one])


def test_parts_are_joined_in_their_order() -> None:
    assert joined([{"a": np.array([1, 2])}, {"a": np.array([3])}])["a"].tolist() == [1, 2, 3]
