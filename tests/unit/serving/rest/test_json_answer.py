from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tensorflow_serving.apis import classification_pb2, regression_pb2

from serving.rest.json_answer import classification_json, error_json, predictions_json, regression_json
from serving.server.request_error import RequestError


def strings(*values: bytes) -> np.ndarray[Any, Any]:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def test_a_single_output_has_no_name() -> None:
    found = predictions_json({"y": np.array([[1, 2], [3, 4]], np.int32)}, rows=True)
    assert found == b'{\n    "predictions": [[1, 2], [3, 4]]\n}'
    assert predictions_json({"y": np.int64(5)}, rows=False) == b'{\n    "outputs": 5\n}'


def test_several_outputs_are_named_row_by_row_or_column_by_column() -> None:
    outputs = {"b_bytes": strings(b"hello", b"\xff"), "a": np.array([[True], [False]])}
    assert predictions_json(outputs, rows=True) == (
        b'{\n    "predictions": [{"a": [true], "b_bytes": {"b64": "aGVsbG8="}}, '
        b'{"a": [false], "b_bytes": {"b64": "/w=="}}]\n}'
    )
    assert predictions_json(outputs, rows=False) == (
        b'{\n    "outputs": {"a": [[true], [false]], "b_bytes": [{"b64": "aGVsbG8="}, {"b64": "/w=="}]}\n}'
    )


def test_decimals_show_a_point_or_an_exponent_and_as_few_digits_as_tell_them() -> None:
    values = np.float32([3, 0.2, 9000000, 0.00003, 555557.5, 1 / 3, 16777216, -0.0, 3.4028235e38, 1e-45])
    assert predictions_json({"y": values}, rows=True).decode() == (
        '{\n    "predictions": [3.0, 0.2, 9e+06, 3e-05, 555557.5, 0.33333334, 16777216.0, -0.0, 3.40282347e+38, '
        "1e-45]\n}"
    )
    assert (
        predictions_json({"y": np.float64([0.2, 1e300, 1])}, rows=False) == b'{\n    "outputs": [0.2, 1e+300, 1.0]\n}'
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.float32(1e6), "1e+06"),
        (np.float32(-2.5e7), "-2.5e+07"),
        (np.float32(1435774380), "1.43577434e+09"),
        (np.float32(1234567), "1234567.0"),
        (np.float64(9e6), "9e+06"),
        (np.float64(1234567.1), "1234567.1"),
        (np.float64(12345678), "12345678.0"),
        (np.float64(999999), "999999.0"),
        (np.float64(1.7976931348623157e308), "1.7976931348623157e+308"),
    ],
)
def test_from_a_million_on_six_digits_have_an_exponent(value: Any, text: str) -> None:
    assert predictions_json({"y": np.array(value)}, rows=False).decode() == f'{{\n    "outputs": {text}\n}}'
    rows = predictions_json({"x": np.array([value, 1], value.dtype), "y": strings(b'1"', b"")}, rows=True)
    assert rows.decode() == (f'{{\n    "predictions": [{{"x": {text}, "y": "1\\""}}, {{"x": 1.0, "y": ""}}]\n}}')


def test_what_is_no_number_is_a_token() -> None:
    found = predictions_json({"y": np.float32([[np.nan, np.inf], [3, -np.inf]])}, rows=True)
    assert found == b'{\n    "predictions": [[NaN, Infinity], [3.0, -Infinity]]\n}'


def test_no_rows() -> None:
    empty = np.zeros((0, 2), np.int32)
    assert predictions_json({"y": empty.astype(np.float16)}, rows=False) == b'{\n    "outputs": []\n}'
    assert predictions_json({"y": empty}, rows=True) == b'{\n    "predictions": []\n}'
    assert predictions_json({"y": empty, "z": empty}, rows=True) == b'{\n    "predictions": []\n}'


def test_text_goes_out_as_it_is() -> None:
    found = predictions_json({"y": strings("\u00fc\u20ac".encode(), b'a"\n\\\x01', b"\xff")}, rows=True)
    assert found == b'{\n    "predictions": ["\xc3\xbc\xe2\x82\xac", "a\\"\\n\\\\\\u0001", "\xff"]\n}'


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({}, "Cannot convert empty tensor map to JSON"),
        ({"y": np.int32(1)}, "Tensor name: y has no shape information "),
        (
            {"y": np.zeros(2, np.int32), "z": np.zeros(1, np.int32)},
            "Tensor name: z has inconsistent batch size: 1 expecting: 2",
        ),
        ({"y": np.zeros(2, np.complex64)}, "Failed to write JSON value for tensor type: complex64"),
        ({"y": np.zeros(2, np.float16)}, "Failed to write JSON value for tensor type: half"),
        ({"y": np.zeros(2, np.uint16)}, "Failed to write JSON value for tensor type: uint16"),
    ],
)
def test_rows_that_cannot_be_written(outputs: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError) as error:
        predictions_json(outputs, rows=True)
    assert (error.value.code.name, error.value.message) == ("INVALID_ARGUMENT", message)


def test_columns_may_differ_in_length() -> None:
    found = predictions_json({"y": np.zeros(2, np.int32), "z": np.int32(1)}, rows=False)
    assert found == b'{\n    "outputs": {"y": [0, 0], "z": 1}\n}'


def test_classifications() -> None:
    result = classification_pb2.ClassificationResult()
    result.classifications.add().classes.add(label="car", score=0.2)
    result.classifications.add().classes.extend(
        [classification_pb2.Class(score=0.7), classification_pb2.Class(label="bus")]
    )
    found = classification_json(result)
    assert found == b'{\n    "results": [[["car", 0.2]], [["", 0.7], ["bus", 0.0]]]\n}'
    with pytest.raises(RequestError, match="Cannot convert empty ClassificationResults to JSON"):
        classification_json(classification_pb2.ClassificationResult())


def test_regressions() -> None:
    result = regression_pb2.RegressionResult()
    for value in (0.2, float("inf"), 1, float("-inf"), float("nan")):
        result.regressions.add(value=value)
    assert regression_json(result) == b'{\n    "results": [0.2, Infinity, 1.0, -Infinity, NaN]\n}'
    with pytest.raises(RequestError, match="Cannot convert empty RegressionResults to JSON"):
        regression_json(regression_pb2.RegressionResult())


def test_errors() -> None:
    assert error_json('Bad key: "key"') == b'{\n    "error": "Bad key: \\"key\\""\n}'
    assert error_json("half \ud800") == b'{\n    "error": "half ?"\n}'
