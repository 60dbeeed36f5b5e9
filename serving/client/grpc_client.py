"""Predictions through gRPC."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import grpc
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from serving.client import grpc_message as message
from serving.client.client_tls import ClientTls, refuse_plain
from serving.client.columns import columns_of
from serving.client.grpc_channel import grpc_channel
from serving.client.prediction import Prediction
from serving.client.signature import Signature, chosen
from serving.client.target import Target


class _Model:
    """What both clients know of the server, by gRPC's library for threads or for asyncio."""

    _library: Any

    def __init__(
        self,
        address: str,
        model: str,
        *,
        version: int | None = None,
        label: str | None = None,
        timeout: float = 30.0,
        retries: int = 2,
        tls: ClientTls | None = None,
    ) -> None:
        self.address, self.target = address, Target(model, version, label)
        self._where, self._timeout = f"{address}, {self.target}", timeout
        self._known: dict[str, Any] | None = None
        if tls:
            refuse_plain([address])
        self._tls = tls
        self._channel = grpc_channel(address, _options(retries), tls, self._library)
        self._predictions = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)


class GrpcClient(_Model):
    """A model behind a gRPC address. It may be used by several threads.

    Args:
        address: `HOST:PORT` in plain text, or `grpcs://HOST:PORT` with TLS.
        model: its name.
        version: a number; default: the newest.
        label: such as `stable`.
        timeout: seconds that a call may take, with its repetitions.
        retries: how often one is sent again where the server is not reached, or is too busy (UNAVAILABLE); at most 4.
        tls: whom `grpcs://` trusts, and what it shows; default: the authorities that gRPC brings, and nothing.

    Attributes:
        address: of the server.
        target: the model that is asked.

    Raises:
        ServingError: no model is named, or both a version and a label.
        SettingsError: `tls` is given for an address in plain text.
    """

    _library = grpc

    def signature(self, name: str = "") -> Signature:
        """A signature of the model.

        Args:
            name: default: `predict` where the model has it, else `serving_default`.

        Raises:
            ServingError: the server does not answer, refuses, or the model has no such signature.
        """
        return chosen(self.metadata(), name)

    def metadata(self) -> dict[str, Any]:
        """A GetModelMetadataResponse as JSON; errors as `signature`."""
        if self._known is None:
            request = message.metadata_request(self.target)
            self._known = message.metadata(self._call(self._predictions.GetModelMetadata, request))
        return self._known

    def status(self) -> list[dict[str, Any]]:
        """Versions and their states, as the server tells them; errors as `signature`."""
        return message.versions(self._call(self._models.GetModelStatus, message.status_request(self.target)))

    def predict(self, columns: Mapping[str, Any], *, signature: str = "") -> Prediction:
        """Predictions for rows.

        Args:
            columns: the inputs by key: what numpy makes arrays of, [rows, ...] as the signature says.
            signature: default: as `signature`.

        Raises:
            DataError: a column is not what the model takes.
            ServingError: the server does not answer in time, or refuses.
        """
        asked = self.signature(signature)
        request = message.predict_request(columns_of(columns, asked), asked, self.target)
        return message.prediction(self._call(self._predictions.Predict, request))

    def close(self) -> None:
        """Closes the connection."""
        self._channel.close()

    def __enter__(self) -> GrpcClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, method: Any, request: Any) -> Any:
        try:
            return method(request, timeout=self._timeout)
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.INVALID_ARGUMENT:  # it may be another version by now
                self._known = None
            raise message.refusal(error, self._where, self.address, self._tls, known=self._known is not None) from error


class AsyncGrpcClient(_Model):
    """As GrpcClient, for asyncio: `signature`, `metadata`, `status`, `predict` and `close` are coroutines.

    It is made where an event loop runs.
    """

    _library = grpc.aio

    async def signature(self, name: str = "") -> Signature:
        """As GrpcClient.signature."""
        return chosen(await self.metadata(), name)

    async def metadata(self) -> dict[str, Any]:
        """As GrpcClient.metadata."""
        if self._known is None:
            request = message.metadata_request(self.target)
            self._known = message.metadata(await self._call(self._predictions.GetModelMetadata, request))
        return self._known

    async def status(self) -> list[dict[str, Any]]:
        """As GrpcClient.status."""
        return message.versions(await self._call(self._models.GetModelStatus, message.status_request(self.target)))

    async def predict(self, columns: Mapping[str, Any], *, signature: str = "") -> Prediction:
        """As GrpcClient.predict."""
        asked = await self.signature(signature)
        request = message.predict_request(columns_of(columns, asked), asked, self.target)
        return message.prediction(await self._call(self._predictions.Predict, request))

    async def close(self) -> None:
        """Closes the connection."""
        await self._channel.close()

    async def __aenter__(self) -> AsyncGrpcClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _call(self, method: Any, request: Any) -> Any:
        try:
            return await method(request, timeout=self._timeout)
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.INVALID_ARGUMENT:
                self._known = None
            known = self._known is not None
            raise await asyncio.to_thread(
                message.refusal, error, self._where, self.address, self._tls, known=known
            ) from error


def _options(retries: int) -> list[tuple[str, Any]]:
    """Messages of any size, and gRPC's own repetition: https://github.com/grpc/proposal/blob/master/A6-client-retries.md."""
    options: list[tuple[str, Any]] = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    if retries < 1:
        return [*options, ("grpc.enable_retries", 0)]
    policy = {
        "maxAttempts": min(retries, 4) + 1,
        "initialBackoff": "0.05s",
        "maxBackoff": "1s",
        "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    }
    return [*options, ("grpc.service_config", json.dumps({"methodConfig": [{"name": [{}], "retryPolicy": policy}]}))]
