"""One loaded version of a model."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import grpc
import numpy.typing as npt
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

from serving.server.batching import BatchingOptions
from serving.server.on_thread import on_thread
from serving.server.request_error import RequestError, invalid
from serving.server.run_metrics import RunMetrics
from serving.server.signature_call import SignatureCall

DEFAULT_SIGNATURE = "serving_default"

_MOST_CALLS = 64


class Servable:
    """One version of a model, loaded from a SavedModel into a session of TensorFlow 1.

    Args:
        name: of the model.
        version: its number.
        path: folder of the SavedModel.
        batching: how requests are combined; default: not at all.
        runs: where its computations are counted; default: nobody asks.

    Attributes:
        name: of the model.
        version: its number.
        signatures: by name, as the SavedModel has them: `method_name`, `inputs` and `outputs` (TensorInfo by key).
        runs: where its computations are counted.

    Raises:
        OSError: there is no SavedModel.
        tf.errors.OpError: a file of it is missing or cut, or it needs what this TensorFlow has not.
    """

    name: str
    version: int
    signatures: Mapping[str, SignatureDef]
    runs: RunMetrics

    def __init__(
        self,
        name: str,
        version: int,
        path: Path,
        batching: BatchingOptions | None = None,
        runs: RunMetrics | None = None,
    ) -> None:
        self.name = name
        self.version = version
        self.runs = runs or RunMetrics()
        self._batching = batching
        self._lock = threading.Lock()
        self._calls: dict[tuple[str, tuple[str, ...] | None], SignatureCall] = {}
        self._session = tf.compat.v1.Session(graph=tf.Graph(), config=_config())
        try:
            with self._session.graph.as_default():
                found = tf.compat.v1.saved_model.load(self._session, [tf.saved_model.SERVING], str(path)).signature_def
            # Copies: what they are part of holds the whole graph.
            self.signatures = {key: _copy(found[key]) for key in found}
            self._session.graph.finalize()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Gives the memory back; nobody may use it any more."""
        for call in self._calls.values():
            call.close()
        self._calls.clear()
        self._session.close()
        del self._session

    def run(
        self,
        signature: str,
        feeds: Mapping[str, npt.NDArray[Any]],
        outputs: Sequence[str] | None = None,
        deadline: float | None = None,
        *,
        api: str = "Predict",
    ) -> dict[str, npt.NDArray[Any]]:
        """What a signature answers.

        Args:
            signature: its name.
            feeds: values by the keys of the signature's inputs; strings as object arrays of bytes.
            outputs: keys of the outputs that are wanted; default: all.
            deadline: of `time.monotonic()`.
            api: for which it is counted: Predict, Classify, Regress or MultiInference.

        Returns:
            Values by the keys of the outputs; strings as object arrays of bytes.

        Raises:
            RequestError: INVALID_ARGUMENT for what the signature does not take (its name, a key, a dtype, a shape) or
                the model refuses, DEADLINE_EXCEEDED, UNAVAILABLE (the queue of a batch is full), and whatever else
                TensorFlow says.
        """
        call = self._call(signature, outputs)
        _check(deadline)
        began = time.perf_counter()
        found = call(feeds, deadline)
        self.runs.took(self.name, api, time.perf_counter() - began)
        _check(deadline)
        return found

    async def answer(
        self,
        signature: str,
        feeds: Mapping[str, npt.NDArray[Any]],
        outputs: Sequence[str] | None = None,
        deadline: float | None = None,
        *,
        threads: Executor,
    ) -> dict[str, npt.NDArray[Any]]:
        """As `run`, where requests are combined: on an event loop, without a thread that waits.

        `threads` are for what would hold up the loop: a signature that is called for the first time, and a request that
        cannot be combined with others.

        Raises:
            asyncio.CancelledError: nobody waits for it any more, and nothing of it runs.
        """
        call = self._known_call(signature, outputs)
        if call is None:
            call = await on_thread(threads, self._call, signature, outputs)
        _check(deadline)
        began = time.perf_counter()
        found = await call.answer(feeds, deadline, threads)
        self.runs.took(self.name, "Predict", time.perf_counter() - began)
        _check(deadline)
        return found

    def _known_call(self, name: str, outputs: Sequence[str] | None) -> SignatureCall | None:
        signature = self.signatures.get(name)
        if signature is None:
            return None
        return self._calls.get((name, _wanted(signature, outputs)))

    def _call(self, name: str, outputs: Sequence[str] | None) -> SignatureCall:
        signature = self.signatures.get(name)
        if signature is None:
            raise invalid(f'Serving signature key "{name}" not found.')
        wanted = _wanted(signature, outputs)
        call = self._calls.get((name, wanted))
        if call is not None:
            return call
        seen = set()
        for key in outputs or ():
            if key not in signature.outputs:
                raise invalid(
                    f"output tensor alias not found in signature: {key} Outputs expected to be in the set "
                    f"{{{','.join(sorted(signature.outputs))}}}."
                )
            if key in seen:
                raise invalid(f"duplicate output tensor alias: {key}")
            seen.add(key)
        with self._lock:
            if (name, wanted) not in self._calls:
                # Each holds some memory, and there are many ways to choose from many outputs.
                while len(self._calls) >= _MOST_CALLS:
                    del self._calls[next(iter(self._calls))]
                call = SignatureCall(
                    self._session, signature, sorted(signature.outputs) if wanted is None else wanted, self._batching
                )
                self._calls[name, wanted] = call
            return self._calls[name, wanted]


def _wanted(signature: SignatureDef, outputs: Sequence[str] | None) -> tuple[str, ...] | None:
    """Outputs as what is kept for them has them; None: all."""
    if outputs is None or (len(outputs) == len(signature.outputs) and set(outputs) == set(signature.outputs)):
        return None
    return tuple(sorted(outputs))


def _check(deadline: float | None) -> None:
    if deadline is not None and time.monotonic() >= deadline:
        raise RequestError(grpc.StatusCode.DEADLINE_EXCEEDED, "The deadline of the request has passed.")


def _copy(signature: SignatureDef) -> SignatureDef:
    found = SignatureDef()
    found.CopyFrom(signature)
    return found


def _config() -> tf.compat.v1.ConfigProto:
    """Functions become part of the graph as they are: Grappler would optimize each when it is first called."""
    config = tf.compat.v1.ConfigProto()
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    config.graph_options.optimizer_options.do_function_inlining = True
    config.gpu_options.allow_growth = True
    return config
