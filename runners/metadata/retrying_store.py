"""An ML Metadata store whose calls outlive its connection."""

from __future__ import annotations

import random
import time
from typing import Any

from google.protobuf.message import Message
from ml_metadata.errors import AlreadyExistsError, StatusError

from runners.metadata.backend import Backend, Failure
from runners.metadata.discreet_store import DiscreetStore
from runners.metadata.lost_write import DONE_IF_THERE, as_repeat
from runners.metadata.retry import retry

_OPENINGS = 8
"""Whoever opens an empty database makes its tables. MySQL does not do this as one transaction: another process that
opens it at the same moment finds some of them, and is refused."""


class RetryingStore(DiscreetStore):
    """A store that connects again when its connection breaks, and makes the call that was cut off once more.

    Every method of `MetadataStore` goes through `_call`. A call is one transaction of the database, so it happened as a
    whole or not at all; when the connection breaks before the answer, nobody knows which. A read is just made again.
    A write is made again by way of `lost_write.as_repeat`, which looks up what the lost one may have stored and makes
    an update of it, so that nothing is stored twice and nothing is missing. (What is left is a server that commits the
    lost write only after the look-up. Databases roll back when their client is gone; a service may still be busy.)

    Only what can pass by itself is tried again, for `retry_seconds` a call, with pauses that double: an unreachable
    server, a transaction that was aborted, a lock. A wrong password or a missing database is an error at once.

    Args:
        backend: the store.
        retry_seconds: how long a call or the connection is tried.

    Raises:
        StoreUnreachableError: it did not answer for `retry_seconds`; calls raise it too.
        RunError: it cannot be used.
    """

    def __init__(self, backend: Backend, retry_seconds: float) -> None:
        self._backend = backend
        self._retry_seconds = retry_seconds
        self._broken = False
        retry(self._connect, retry_seconds)

    def _connect(self) -> None:
        if self._backend.check_first:
            self._backend.check()
        for left in reversed(range(_OPENINGS)):
            try:
                super().__init__(self._backend.config())
                break
            except RuntimeError as error:
                self._backend.check()  # which says why, if it can
                if not left:
                    raise self._backend.refused(str(error)) from error
                time.sleep(random.uniform(0.1, 0.5))
        self._broken = False

    def _call(self, method_name: str, request: Message, response: Message, extra_options: Any = None) -> None:
        lost = False

        def once() -> None:
            nonlocal lost
            if self._broken:
                self._connect()
            try:
                made = as_repeat(self._call_method, method_name, request) if lost else request
                self._call_method(method_name, made, response)
            except AlreadyExistsError:
                if not (lost and method_name in DONE_IF_THERE):
                    raise
            except StatusError as error:
                failure = self._backend.failure(error)
                if failure is None:
                    raise
                if failure is Failure.LOST:
                    self._broken, lost = True, True
                raise self._backend.unreachable(error) from error

        retry(once, self._retry_seconds)

    def _call_method(self, method_name: str, request: Message, response: Message) -> None:
        super()._call_method(method_name, self._backend.outgoing(request), response)
        self._backend.incoming(response)
