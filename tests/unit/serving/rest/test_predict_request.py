from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

from serving.rest.json_answer import predictions_json
from serving.rest.json_document import parse_document
from serving.rest.predict_request import PredictRequest, read_predict_request, signature_name
from serving.rest.value_text import value_text
from serving.server.request_error import RequestError

INTEGERS = (tf.int8, tf.uint8, tf.int16, tf.int32, tf.uint32, tf.int64, tf.uint64)
DECIMALS = (tf.float32, tf.float64)


def signature(**inputs: tf.DType) -> SignatureDef:
    """A signature with inputs of these types."""
    found = SignatureDef(method_name="tensorflow/serving/predict")
    for name, dtype in inputs.items():
        found.inputs[name].dtype = dtype.as_datatype_enum
    return found


def read(text: str, **inputs: tf.DType) -> PredictRequest:
    body = text.encode()
    document = parse_document(body)
    return read_predict_request(document, body, signature_name(document), signature(**inputs))


def refusal(text: str, **inputs: tf.DType) -> str:
    with pytest.raises(RequestError) as error:
        read(text, **inputs)
    assert error.value.code.name == "INVALID_ARGUMENT"
    return error.value.message


def test_rows_of_the_only_input() -> None:
    found = read('{"instances": [[1, 2], [3, 4], [5, 6]]}', x=tf.int32)
    assert found.rows
    assert found.feeds["x"].tolist() == [[1, 2], [3, 4], [5, 6]]
    assert found.feeds["x"].dtype == np.int32


def test_whole_numbers_and_tokens_are_decimals_too() -> None:
    found = read('{"instances": [1, 2.0, 5.003, -0.0, NaN, Infinity, -Infinity]}', x=tf.float32).feeds["x"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.float32([1, 2, 5.003, -0.0, np.nan, np.inf, -np.inf]))


def test_named_rows() -> None:
    found = read(
        '{"instances": [{"n": [[1, 2]], "s": ["foo"], "f": NaN}, {"n": [[3, 4]], "s": ["bar"], "f": 2}]}',
        n=tf.int64,
        s=tf.string,
        f=tf.float64,
    )
    assert found.feeds["n"].tolist() == [[[1, 2]], [[3, 4]]]
    assert found.feeds["s"].tolist() == [[b"foo"], [b"bar"]]
    np.testing.assert_array_equal(found.feeds["f"], [np.nan, 2.0])


def test_rows_may_name_the_only_input() -> None:
    found = read('{"instances": [{"x": [[{"b64": "aGVsbG8="}]]}]}', x=tf.string)
    assert found.feeds["x"].tolist() == [[[b"hello"]]]


def test_base64_is_a_value_and_no_row_of_names() -> None:
    found = read('{"instances": [{"b64": "aGVsbG8="}, "w", {"b64": ""}]}', x=tf.string)
    assert found.feeds["x"].tolist() == [b"hello", b"w", b""]


def test_columns() -> None:
    found = read('{"inputs": {"n": [[1], [2]], "s": {"b64": "aGVsbG8="}, "more": null}}', n=tf.int32, s=tf.string)
    assert not found.rows
    assert found.feeds["n"].tolist() == [[1], [2]]
    assert found.feeds["s"].shape == ()
    assert found.feeds["s"].item() == b"hello"


@pytest.mark.parametrize(("text", "shape"), [("5", ()), ("[5]", (1,)), ("[]", (0,)), ("[[],[]]", (2, 0))])
def test_the_only_column_needs_no_name(text: str, shape: tuple[int, ...]) -> None:
    assert read(f'{{"inputs": {text}}}', x=tf.float32).feeds["x"].shape == shape


def test_beyond_float_is_an_infinity() -> None:
    assert read('{"instances": [1e39, -3.5e38]}', x=tf.float32).feeds["x"].tolist() == [np.inf, -np.inf]


def test_beyond_double_is_no_number() -> None:
    message = "JSON Parse error: Number too big to be stored in double. at offset: "
    assert refusal('{"inputs": [Infinity, 1e400]}', x=tf.float64) == f"{message}22"
    assert refusal(f'{{"instances": [1{"0" * 400}]}}', x=tf.float32) == f"{message}15"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"signature_name": 5, "instances": [1]}', "'signature_name' key must be a string value."),
        ('{"instances": [1], "inputs": [1]}', "Not formatted correctly expecting only one of"),
        ("{}", "Missing 'inputs' or 'instances' key"),
        ('{"instances": []}', "No values in 'instances' array"),
        ('{"instances": 5}', "Expecting 'instances' to be an list/array"),
        ('{"instances": null}', "Expecting 'instances' to be an list/array"),
        (
            '{"instances": [[1,2],[3,4],[5,6,7]]}',
            "Failed to process element: 2 of 'instances' list. Error: INVALID_ARGUMENT: "
            "Expecting tensor size: 2 but got: 3",
        ),
        ('{"instances": [[1,2],[3,4],[[5,6]]]}', "Expecting shape [2] but got: [1,2]"),
        ('{"instances": [1, [1]]}', "Expecting shape [] but got: [1]"),
        ('{"instances": [[1], 1]}', "Expecting shape [1] but got: []"),
        ('{"instances": [[1,2],["a","b"]]}', 'JSON Value: "a" Type: String is not of expected type: int32'),
        ('{"instances": [[1,[2]]]}', "Encountered list at unexpected level: 1 expected < 1"),
        ('{"instances": [[[1],2]]}', "JSON Value: 2 found at incorrect level: 2 in the JSON DOM. Expected at level: 2"),
        ('{"instances": [[[1],[2,3]]]}', "Encountered list at unexpected size: 2 at level: 1 expected size: 1"),
        (
            '{"instances": [{"y": 1}]}',
            "key: y of 'instances' list. Error: INVALID_ARGUMENT: JSON object: does not have",
        ),
        (
            '{"instances": [{"x": 1}, {}]}',
            "Failed to process element: 1 of 'instances' list. JSON object: {} keys must",
        ),
        ('{"instances": [{"x": 1}, 2]}', "Expecting object but got list at item 1 of input list"),
        ('{"instances": [2, {"x": 1}]}', "Expecting value/list but got object at item 1 of input list"),
        ('{"inputs": {"y": 1}}', "Missing named input: x in 'inputs' object."),
        ('{"inputs": ' + "[" * 40 + "]" * 40 + "}", "nested too deeply"),
    ],
)
def test_requests_that_are_refused(text: str, message: str) -> None:
    assert message in refusal(text, x=tf.int32)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"instances": [1]}', "instances is a plain list, but expecting list of objects"),
        ('{"instances": [{"x": 1}]}', "keys must be equal to: x,y"),
        ('{"instances": [{"x": 1, "y": 2, "z": 3}]}', "does not have named input: z"),
        ('{"inputs": [1]}', "inputs is a plain value/list, but expecting an object"),
        ('{"inputs": {"x": 1}}', "Missing named input: y in 'inputs' object."),
    ],
)
def test_two_inputs_must_both_be_named(text: str, message: str) -> None:
    assert message in refusal(text, x=tf.int32, y=tf.int32)


def test_no_inputs_at_all() -> None:
    assert refusal('{"instances": [1]}') == "Failed to get input map for signature: DEFAULT"
    assert refusal('{"instances": [1], "signature_name": "s"}') == "Failed to get input map for signature: s"


@pytest.mark.parametrize("fault", [0, 1, 500, 998, 999])
def test_the_first_of_several_faults_is_told(fault: int) -> None:
    rows: list[dict[str, object]] = [{"x": [number, 0], "y": "s"} for number in range(1000)]
    rows[fault]["x"] = [1, 0.5]
    rows[-1] = rows[-1] | {"y": 5}
    message = refusal(json.dumps({"instances": rows}), x=tf.int32, y=tf.string)
    assert message.startswith(f"Failed to process element: {fault} key: x of 'instances' list. Error: INVALID_ARGUMENT")
    assert "JSON Value: 0.5 Type: Number is not of expected type: int32" in message
    plain = [row["x"] for row in rows]
    message = refusal(json.dumps({"instances": plain}), x=tf.int32)
    assert message.startswith(f"Failed to process element: {fault} of 'instances' list. Error: INVALID_ARGUMENT: JSON")
    assert "JSON Value: 0.5 Type" in refusal(json.dumps({"inputs": [plain, plain]}), x=tf.int32)
    rows[fault] = {"x": [1, 1]}
    assert f"Failed to process element: {fault} of" in refusal(json.dumps({"instances": rows}), x=tf.int32, y=tf.string)


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("value", ["1.0", "1.5", "1e0", '"1"', "true", "null", "NaN", "{}"])
def test_integers_are_strict(dtype: tf.DType, value: str) -> None:
    name = {"float32": "float", "float64": "double"}.get(dtype.name, dtype.name)
    assert f"is not of expected type: {name}" in refusal(f'{{"inputs": [{value}]}}', x=dtype)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_have_all_of_their_range_and_no_more(dtype: tf.DType) -> None:
    found = read(f'{{"inputs": [{dtype.min}, {dtype.max}]}}', x=dtype).feeds["x"]
    assert found.tolist() == [dtype.min, dtype.max]
    assert found.dtype == dtype.as_numpy_dtype
    for beyond in (dtype.min - 1, dtype.max + 1):
        # What has more than 64 bits is a decimal.
        text = beyond if -(2**63) <= beyond < 2**64 else value_text(float(beyond))
        assert f"JSON Value: {text} Type: Number is not" in refusal(f'{{"inputs": [0, {beyond}]}}', x=dtype)


@pytest.mark.parametrize("dtype", DECIMALS)
@pytest.mark.parametrize("value", ['"1"', "true", "null", "{}", '{"b64": ""}'])
def test_decimals_are_strict(dtype: tf.DType, value: str) -> None:
    name = {"float32": "float", "float64": "double"}.get(dtype.name, dtype.name)
    assert f"is not of expected type: {name}" in refusal(f'{{"inputs": [{value}]}}', x=dtype)


@pytest.mark.parametrize("value", ["0", "1", "1.0", '"true"', "null"])
def test_bools_are_strict(value: str) -> None:
    assert read('{"inputs": [true, false]}', x=tf.bool).feeds["x"].tolist() == [True, False]
    assert "is not of expected type: bool" in refusal(f'{{"inputs": [{value}]}}', x=tf.bool)


@pytest.mark.parametrize("value", ["0", "1.0", "true", "null"])
def test_strings_are_strict(value: str) -> None:
    assert "is not of expected type: string" in refusal(f'{{"inputs": [{value}]}}', x=tf.string)
    assert "not formatted correctly for base64 data" in refusal('{"inputs": [{"x": 1}]}', x=tf.string)


@pytest.mark.parametrize(
    ("dtype", "name"),
    [(tf.complex64, "complex64"), (tf.float16, "half"), (tf.bfloat16, "bfloat16"), (tf.uint16, "uint16")],
)
def test_what_json_has_no_form_for(dtype: tf.DType, name: str) -> None:
    with pytest.raises(RequestError) as error:
        read('{"inputs": [1]}', x=dtype)
    assert (error.value.code.name, error.value.message) == (
        "UNIMPLEMENTED",
        f"Conversion of JSON Value: 1 to type: {name}",
    )
    assert refusal('{"instances": [1]}', x=dtype) == (
        "Failed to process element: 0 of 'instances' list. Error: UNIMPLEMENTED: "
        f"Conversion of JSON Value: 1 to type: {name}"
    )


@pytest.mark.parametrize("dtype", [*INTEGERS, *DECIMALS, tf.bool])
def test_what_is_written_reads_back(dtype: tf.DType) -> None:
    @settings(max_examples=40, deadline=None)
    @given(values=arrays.arrays(dtype.as_numpy_dtype, arrays.array_shapes(max_dims=3, max_side=4)), rows=st.booleans())
    def check(values: np.ndarray[Any, Any], rows: bool) -> None:
        text = predictions_json({"y": values}, rows=rows)
        key, back = ("predictions", "instances") if rows else ("outputs", "inputs")
        found = read(text.decode().replace(key, back, 1), x=dtype).feeds["x"]
        np.testing.assert_array_equal(found, values)
        assert found.dtype == values.dtype

    check()


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.binary(max_size=8), min_size=1, max_size=5))
def test_bytes_that_are_written_read_back(values: list[bytes]) -> None:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    text = predictions_json({"y_bytes": array}, rows=True)
    assert read(text.decode().replace("predictions", "instances", 1), x=tf.string).feeds["x"].tolist() == values


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), min_size=1, max_size=5))
def test_text_that_is_written_reads_back(values: list[str]) -> None:
    array = np.empty(len(values), dtype=object)
    array[:] = [value.encode() for value in values]
    text = predictions_json({"y": array}, rows=True)
    assert json.loads(text) == {"predictions": values}
    found = read(text.decode().replace("predictions", "instances", 1), x=tf.string)
    assert found.feeds["x"].tolist() == [value.encode() for value in values]
