"""REST requests and answers as TensorFlow Serving documents them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from schemas.errors import ServingError
from serving.client.rest_message import outputs, path, predict_body, refusal
from serving.client.signature import Signature, TensorSpec
from serving.client.target import Target


def _signature(*names: str, dtype: object = np.float32) -> Signature:
    return Signature("predict", {}, {name: TensorSpec(dtype, (-1,)) for name in names})  # type: ignore[arg-type]


def test_paths() -> None:
    assert path(Target("taxi"), ":predict") == "/v1/models/taxi:predict"
    assert path(Target("taxi", 7), "/metadata") == "/v1/models/taxi/versions/7/metadata"
    assert path(Target("ta xi/..", label="stable")) == "/v1/models/ta%20xi%2F../labels/stable"


def test_a_body_has_columns_with_texts_in_base64() -> None:
    columns = {
        "miles": np.array([1.5, np.nan], np.float32),
        "count": np.array([2**63 - 1]),
        "company": np.array([b"\xff", b""], dtype=object),
    }
    body = predict_body(columns, _signature())
    assert b"NaN" in body
    assert b"9223372036854775807" in body
    assert json.loads(body)["inputs"]["company"] == [{"b64": "/w=="}, {"b64": ""}]
    assert json.loads(body)["signature_name"] == "predict"


def test_a_single_output_has_no_name_in_the_answer() -> None:
    found = outputs(b'{"outputs": [[0.5], [NaN]]}', _signature("predictions"))
    assert found["predictions"].dtype == np.float32
    np.testing.assert_array_equal(found["predictions"], np.array([[0.5], [np.nan]], np.float32))


def test_several_outputs_are_named_and_texts_are_bytes() -> None:
    signature = Signature(
        "retrieve", {}, {"names": TensorSpec(np.object_, (-1, -1)), "scores": TensorSpec(np.float32, (-1, -1))}
    )
    found = outputs(b'{"outputs": {"names": [["a", {"b64": "/w=="}]], "scores": [[1.0, 2.0]]}}', signature)
    assert found["names"].tolist() == [[b"a", b"\xff"]]
    assert found["scores"].tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize("content", [b"<html>", b"{}", b'{"outputs": {"other": 1}}'])
def test_an_answer_that_is_none(content: bytes) -> None:
    with pytest.raises(ServingError, match="holds no predictions"):
        outputs(content, _signature("a", "b"))


def test_a_refusal_says_what_the_server_said() -> None:
    found = refusal(404, b'{"error": "Servable not found for request: Latest(taxi)"}', "http://h/v1/models/taxi")
    assert found.received == "404: Servable not found for request: Latest(taxi)"
    assert refusal(502, b"<html>bad gateway", "h").received == "502: <html>bad gateway"
