"""What every call of gRPC has in common: its deadline, its errors, and that it is counted."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import grpc

from serving.grpc_api.call_count import CallCount
from serving.server.metrics import Metrics
from serving.server.request_error import RequestError

Answer = TypeVar("Answer")

_LOG = logging.getLogger(__name__)
# The others are not counted by TensorFlow Serving.
_COUNTED = ("Predict", "Classify", "Regress")
_LONGEST = 1024  # bytes of an error's message, as in TensorFlow Serving: it goes in a header, which clients limit


class Answering:
    """Answers calls.

    Args:
        metrics: where calls are counted.
        calls: those that are being answered, until the answer is sent.
    """

    def __init__(self, metrics: Metrics, calls: CallCount) -> None:
        self._metrics = metrics
        self._calls = calls

    def __call__(
        self, api: str, model: str, context: grpc.ServicerContext, work: Callable[[float | None], Answer]
    ) -> Answer:
        """The answer to a call; an error ends it with its code.

        Args:
            api: the method's name.
            model: the model's name.
            context: of the call.
            work: makes the answer, by a deadline of `time.monotonic()`.
        """
        started = time.monotonic()
        self._calls.begin()
        if not context.add_callback(self._calls.end):
            self._calls.end()  # the client has gone
        left = context.time_remaining()
        # Without a deadline, grpc says that there are some 300 billion years, which no lock can wait for.
        deadline = None if left is None or left > threading.TIMEOUT_MAX else started + left
        code = grpc.StatusCode.OK
        try:
            return work(deadline)
        except RequestError as error:
            code, message = error.code, error.message
        except Exception as error:
            _LOG.exception("%s of model %s failed.", api, model)
            code, message = grpc.StatusCode.INTERNAL, f"{type(error).__name__}: {error}"
        finally:
            if api in _COUNTED:
                self._metrics.record(model, code, api=api, entrypoint="GRPC", seconds=time.monotonic() - started)
        encoded = message.encode("utf-8", "replace")
        if len(encoded) > _LONGEST:
            message = f"{encoded[:_LONGEST].decode('utf-8', 'ignore')}...TRUNCATED"
        context.abort(code, message)
        raise AssertionError("abort raises")
