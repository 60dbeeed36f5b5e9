"""Requests from files: JSON bodies as TensorFlow Serving takes them, and logs of requests."""

from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from schemas.errors import ReleaseError
from serving.recorded_requests import recorded_requests


def signature(**inputs: tf.DType) -> SignatureDef:
    return SignatureDef(inputs={key: TensorInfo(dtype=dtype.as_datatype_enum) for key, dtype in inputs.items()})


SIGNATURES = {
    "serving_default": signature(fare=tf.float32, company=tf.string),
    "raw": signature(examples=tf.string),
}


def only(tmp_path: Path, *lines: str) -> dict[str, list[object]]:
    (tmp_path / "requests").write_text("\n".join(lines))
    (request,) = recorded_requests(tmp_path / "requests", SIGNATURES)
    return {key: tf.make_ndarray(value).tolist() for key, value in request.inputs.items()}


def test_rows(tmp_path: Path) -> None:
    body = '{"instances": [{"fare": 1.5, "company": "a"}, {"fare": 2, "company": {"b64": "/w=="}}]}'
    assert only(tmp_path, body) == {"fare": [1.5, 2.0], "company": [b"a", b"\xff"]}


def test_columns(tmp_path: Path) -> None:
    assert only(tmp_path, '{"inputs": {"fare": [[1.5]], "company": [["a"]]}}') == {"fare": [[1.5]], "company": [[b"a"]]}


@pytest.mark.parametrize("key", ["instances", "inputs"])
def test_values_without_a_name_where_there_is_one_input(key: str, tmp_path: Path) -> None:
    body = f'{{"signature_name": "raw", "{key}": [{{"b64": "YQ=="}}]}}'
    assert only(tmp_path, body, "") == {"examples": [b"a"]}


@pytest.mark.parametrize(
    ("line", "received"),
    [
        ("{", "Expecting property name"),
        ("{}", "must have the key instances or inputs"),
        ('{"instances": [], "inputs": []}', "must have the key"),
        ('{"rows": []}', "must have the key"),
        ('{"instances": [{"fare": 1.5}]}', "values for fare; the signature takes company, fare"),
        ('{"instances": [{"fare": "x", "company": "a"}]}', ""),
        ('{"instances": [1.5]}', "values without names"),
        ('{"signature_name": "other", "instances": [1]}', "signature 'other'"),
        ('{"signature_name": "raw", "instances": [{"b64": "%"}]}', ""),
    ],
)
def test_a_line_that_is_no_request_is_told_with_its_number(line: str, received: str, tmp_path: Path) -> None:
    good = '{"instances": [{"fare": 1.5, "company": "a"}]}'
    with pytest.raises(ReleaseError, match=r"line 2\n") as raised:
        only(tmp_path, good, line)
    assert received in str(raised.value)


def test_a_log_of_requests(tmp_path: Path) -> None:
    log = PredictionLog()
    log.predict_log.request.model_spec.name = "other"
    log.predict_log.request.model_spec.version.value = 3
    log.predict_log.request.model_spec.signature_name = "raw"
    log.predict_log.request.inputs["examples"].CopyFrom(tf.make_tensor_proto([b"a"]))
    skipped = PredictionLog()
    skipped.regress_log.request.model_spec.name = "other"
    path = tmp_path / "requests"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(skipped.SerializeToString())
        writer.write(log.SerializeToString())
    (request,) = recorded_requests(path, {})
    assert str(request.model_spec).split() == ["signature_name:", '"raw"']
    assert tf.make_ndarray(request.inputs["examples"]).tolist() == [b"a"]


@pytest.mark.parametrize("content", [b"", b"no requests at all", None])
def test_a_file_without_requests_is_named(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "requests"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ReleaseError) as raised:
        recorded_requests(path, SIGNATURES)
    assert raised.value.where == str(path)
