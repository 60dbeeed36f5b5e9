"""The gRPC client against a server of TensorFlow Serving's stubs."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from schemas.errors import DataError, ServingError
from serving.client.batches import predict_all, predict_all_async
from serving.client.grpc_client import AsyncGrpcClient, GrpcClient
from serving.client.grpc_message import refusal


class Doubling(prediction_service_pb2_grpc.PredictionServiceServicer, model_service_pb2_grpc.ModelServiceServicer):
    """Version 7 of a model that doubles numbers and puts texts in brackets, after as many refusals as it is told."""

    def __init__(self) -> None:
        self.busy, self.asked = 0, list[Any]()
        self.address = ""

    def Predict(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.asked.append(request)
        if self.busy:
            self.busy -= 1
            context.abort(grpc.StatusCode.UNAVAILABLE, "the queue is full")
        if request.model_spec.name != "twice":
            context.abort(grpc.StatusCode.NOT_FOUND, "Servable not found for request: Latest(other)")
        response = predict_pb2.PredictResponse()
        response.model_spec.version.value = 7
        numbers = tf.make_ndarray(request.inputs["x"])
        response.outputs["y"].CopyFrom(tf.make_tensor_proto(2 * numbers))
        texts = [b"[" + text + b"]" for text in tf.make_ndarray(request.inputs["name"]).tolist()]
        response.outputs["text"].CopyFrom(tf.make_tensor_proto(texts, tf.string, [len(texts)]))
        return response

    def GetModelMetadata(self, request: Any, context: grpc.ServicerContext) -> Any:
        signature = SignatureDef()
        for infos, names in ((signature.inputs, ("x", "name")), (signature.outputs, ("y", "text"))):
            for name, dtype in zip(names, (tf.float32, tf.string), strict=True):
                infos[name].dtype = dtype.as_datatype_enum
                infos[name].tensor_shape.dim.add().size = -1
        found = get_model_metadata_pb2.SignatureDefMap(signature_def={"serving_default": signature})
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.metadata["signature_def"].Pack(found)
        return response

    def GetModelStatus(self, request: Any, context: grpc.ServicerContext) -> Any:
        response = get_model_status_pb2.GetModelStatusResponse()
        response.model_version_status.add(version=7, state=30)
        return response


@pytest.fixture
def server() -> Iterator[Doubling]:
    service = Doubling()
    with ThreadPoolExecutor(4) as pool:
        made = grpc.server(pool)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, made)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(service, made)
        service.address = f"127.0.0.1:{made.add_insecure_port('127.0.0.1:0')}"
        made.start()
        yield service
        made.stop(None).wait()


COLUMNS = {"x": [1, 2.5], "name": ["a", "ö"]}


def test_predicts_in_the_model_s_own_types(server: Doubling) -> None:
    with GrpcClient(server.address, "twice", label="stable") as client:
        found = client.predict(COLUMNS)
    assert found.version == 7
    assert found.outputs["y"].dtype == np.float32
    assert found.outputs["y"].tolist() == [2.0, 5.0]
    assert found.outputs["text"].tolist() == [b"[a]", "[ö]".encode()]
    (request,) = server.asked
    assert request.model_spec.version_label == "stable"
    assert request.model_spec.signature_name == "serving_default"
    assert request.inputs["x"].dtype == tf.float32.as_datatype_enum


def test_a_proxy_is_not_asked_for_this_machine(server: Doubling, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{unused.getsockname()[1]}")
        for name in ("grpc_proxy", "no_grpc_proxy", "no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        with GrpcClient(server.address, "twice", retries=0, timeout=5.0) as client:
            assert client.predict(COLUMNS).outputs["y"].tolist() == [2.0, 5.0]


def test_states(server: Doubling) -> None:
    with GrpcClient(server.address, "twice") as client:
        (found,) = client.status()
    assert (found["version"], found["state"]) == ("7", "AVAILABLE")


def test_a_busy_server_is_asked_again(server: Doubling) -> None:
    server.busy = 2
    with GrpcClient(server.address, "twice", retries=2) as client:
        assert client.predict(COLUMNS).outputs["y"].tolist() == [2.0, 5.0]
    assert len(server.asked) == 3


def test_a_server_that_has_answered_is_not_looked_at_when_it_is_busy(
    server: Doubling, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []
    monkeypatch.setattr("serving.client.grpc_message.other_port", lambda *asked: looked.append(asked) or "")
    with GrpcClient(server.address, "twice", retries=0) as client:
        assert client.predict(COLUMNS).outputs["y"].tolist() == [2.0, 5.0]
        server.busy = 1
        with pytest.raises(ServingError, match="the queue is full"):
            client.predict(COLUMNS)

    async def ask() -> None:
        async with AsyncGrpcClient(server.address, "twice", retries=0) as client:
            await client.signature()
            server.busy = 1
            with pytest.raises(ServingError, match="the queue is full"):
                await client.predict(COLUMNS)

    asyncio.run(ask())
    assert looked == []


def test_a_refusal_says_what_the_server_said(server: Doubling) -> None:
    with (
        GrpcClient(server.address, "other", version=3) as client,
        pytest.raises(ServingError, match="refused") as caught,
    ):
        client.predict(COLUMNS)
    assert caught.value.received == "NOT_FOUND: Servable not found for request: Latest(other)"
    assert caught.value.where == f"{server.address}, other, version 3"


def test_a_label_that_there_is_not_is_looked_for_among_the_labels() -> None:
    class Unknown(grpc.RpcError):
        def code(self) -> grpc.StatusCode:
            return grpc.StatusCode.INVALID_ARGUMENT

        def details(self) -> str:
            return "Unrecognized servable version label: stabel"

    assert refusal(Unknown(), "there", "").fix == "See the labels that it has: scalable-tf release list."


def test_no_server(server: Doubling) -> None:
    # A port of this machine that is taken by nothing that speaks.
    with GrpcClient("127.0.0.1:1", "twice", retries=0, timeout=5) as client, pytest.raises(ServingError) as caught:
        client.status()
    assert caught.value.what == "The model server does not answer."


def test_all_rows_in_their_order(server: Doubling) -> None:
    columns = {"x": np.arange(10), "name": [str(n) for n in range(10)]}
    with GrpcClient(server.address, "twice") as client:
        found = predict_all(client, columns, rows=3, requests=2)
        assert found["y"].tolist() == [2.0 * n for n in range(10)]
        assert sorted(request.inputs["x"].tensor_shape.dim[0].size for request in server.asked) == [1, 3, 3, 3]
        with pytest.raises(DataError, match="of one length"):
            predict_all(client, {"x": [1.0], "name": ["a", "b"]})


def test_async(server: Doubling) -> None:
    async def ask() -> list[float]:
        async with AsyncGrpcClient(server.address, "twice") as client:
            numbers: list[float] = (
                await predict_all_async(client, {"x": range(7), "name": ["a"] * 7}, rows=2, requests=2)
            )["y"].tolist()
        return numbers

    assert asyncio.run(ask()) == [2.0 * n for n in range(7)]
