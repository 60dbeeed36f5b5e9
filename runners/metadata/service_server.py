"""A gRPC service over any store: what ML Metadata's own server does, for which there is no binary to be had."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.message import Message
from ml_metadata.errors import StatusError
from ml_metadata.proto import metadata_store_service_pb2 as messages
from ml_metadata.proto import metadata_store_service_pb2_grpc as service

from runners.metadata.backend import Backend
from runners.metadata.retrying_store import RetryingStore
from runners.metadata.sqlite import SqliteBackend
from runners.metadata.sqlite_turn import sqlite_turn
from schemas.errors import RunError, ScalableTFError, SettingsError

SERVICE = messages.DESCRIPTOR.services_by_name["MetadataStoreService"]
_CODES = {code.value[0]: code for code in grpc.StatusCode}
# The library of this process cannot do these; two of them are another one for each context.
_FOR_EACH = {
    "GetParentContextsByContexts": ("GetParentContextsByContext", "parent_contexts"),
    "GetChildrenContextsByContexts": ("GetChildrenContextsByContext", "children_contexts"),
}
_MISSING = {"GetLineageGraph": "Use GetLineageSubgraph, which has replaced it."}


@dataclass(frozen=True)
class Tls:
    """PEM files of a server's certificate, with its chain, and of its key."""

    certificate: Path
    key: Path


def make_server(
    backend: Backend, retry_seconds: float, address: str, tls: Tls | None = None
) -> tuple[grpc.Server, int]:
    """A server that is not yet started, and the port that it will listen on.

    One thread makes the calls, one after the other: the library holds the interpreter's lock while it waits for the
    database, so that more threads would not do more, and its stores are not made for several.

    Args:
        backend: the store.
        retry_seconds: see `RetryingStore`.
        address: `host:port`; port 0 takes a free one.
        tls: for grpcs://.

    Raises:
        RunError: the store cannot be reached, or the port is taken.
        SettingsError: a file of `tls` cannot be read.
    """
    server = grpc.server(
        ThreadPoolExecutor(max_workers=1, thread_name_prefix="metadata"),
        # By default a second server could listen on the same port, and each would get a part of the calls.
        options=[
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
        ],
    )
    service.add_MetadataStoreServiceServicer_to_server(_servicer(_Calls(backend, retry_seconds)), server)
    try:
        port = server.add_secure_port(address, _credentials(tls)) if tls else server.add_insecure_port(address)
    except RuntimeError as error:  # of newer gRPC; older ones give 0
        port, reason = 0, str(error)
    else:
        reason = "gRPC says no more"
    if not port:
        raise RunError(
            "The service cannot listen there.",
            where=address,
            received=reason,
            fix="Choose an address of this machine and a port that is free; --port 0 picks one.",
        )
    return server, port


class _Calls:
    """Makes calls, in one thread."""

    def __init__(self, backend: Backend, retry_seconds: float) -> None:
        self._turn: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext
        if isinstance(backend, SqliteBackend):
            path = backend.path
            self._turn = lambda: sqlite_turn(path)
        with self._turn():
            self._store = RetryingStore(backend, retry_seconds)

    def __call__(self, method: str, request: Message, context: grpc.ServicerContext) -> Message:
        """The answer, or the call's end with the status code that the library gave."""
        response: Message = getattr(messages, SERVICE.methods_by_name[method].output_type.name)()
        if method in _MISSING:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, _MISSING[method])
        try:
            with self._turn():
                self._answer(method, request, response)
        except StatusError as error:
            context.abort(_CODES.get(error.error_code, grpc.StatusCode.UNKNOWN), str(error))
        except ScalableTFError as error:
            logging.error("%s: %s", method, error)
            context.abort(grpc.StatusCode.UNAVAILABLE, f"{error.what} {error.received}")
        return response

    def _answer(self, method: str, request: Any, response: Any) -> None:
        if method not in _FOR_EACH:
            self._store._call(method, request, response)
            return
        single, field = _FOR_EACH[method]
        for context_id in request.context_ids:
            found = getattr(messages, f"{single}Response")()
            self._store._call(single, getattr(messages, f"{single}Request")(context_id=context_id), found)
            if found.contexts:
                getattr(response.contexts[context_id], field).extend(found.contexts)


def _servicer(calls: _Calls) -> service.MetadataStoreServiceServicer:
    def handler(method: str) -> Callable[..., Message]:
        return lambda self, request, context: calls(method, request, context)

    methods = {method.name: handler(method.name) for method in SERVICE.methods}
    servicer: service.MetadataStoreServiceServicer = type(
        "Servicer", (service.MetadataStoreServiceServicer,), methods
    )()
    return servicer


def _credentials(tls: Tls) -> grpc.ServerCredentials:
    try:
        return grpc.ssl_server_credentials([(tls.key.read_bytes(), tls.certificate.read_bytes())])
    except OSError as error:
        raise SettingsError(
            "A file for TLS cannot be read.",
            where=str(error.filename),
            received=error.strerror,
            fix="Name PEM files that this user may read.",
        ) from error
