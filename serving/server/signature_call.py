"""One signature of a loaded model, with some of its outputs, ready to be called."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

import grpc
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow.core.framework.tensor_shape_pb2 import TensorShapeProto
from tensorflow.core.protobuf.config_pb2 import CallableOptions
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo

from serving.server.batching import Batcher, BatchingOptions
from serving.server.dtype_text import dtype_text
from serving.server.on_thread import on_thread
from serving.server.request_error import RequestError, invalid
from serving.server.tensor_proto import decode, dtype_of

Array = npt.NDArray[Any]

_SMALL = 32  # rows
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class SignatureCall:
    """Calls one signature.

    Args:
        session: that the model is loaded into.
        signature: its inputs and outputs.
        outputs: keys of those that are wanted.
        batching: how requests are combined; default: not at all.
    """

    def __init__(
        self,
        session: tf.compat.v1.Session,
        signature: SignatureDef,
        outputs: Sequence[str],
        batching: BatchingOptions | None,
    ) -> None:
        self.outputs = tuple(outputs)
        self._inputs = {
            key: _Input(number, key, info, session.graph)
            for number, (key, info) in enumerate(sorted(signature.inputs.items()))
        }
        self._defaults = {key: decode(value) for key, value in signature.defaults.items()}
        feeds = [info.tensor for info in self._inputs.values()]
        wanted = [signature.outputs[key].name for key in outputs]
        fetches = sorted(set(wanted) - set(feeds))
        # TensorFlow refuses to fetch what is fed, and gives what is fetched twice twice.
        self._found = [(True, feeds.index(one)) if one in feeds else (False, fetches.index(one)) for one in wanted]
        self._session = session
        self._tensors = (feeds, fetches)
        self._lock = threading.Lock()
        self._calls: dict[bool, Any] = {}
        self._callable(small=True)
        infos = [*signature.inputs.values(), *(signature.outputs[key] for key in outputs)]
        combine = bool(feeds) and all(map(_has_rows, infos))
        self._batcher = Batcher(batching, self._run, combine=combine) if batching else None

    def __call__(self, given: Mapping[str, Array], deadline: float | None) -> dict[str, Array]:
        """The outputs by key.

        Raises:
            RequestError: as `Servable.run`.
        """
        feeds = self._feeds(given)
        batcher = self._batcher
        results = batcher(feeds, deadline) if batcher and batcher.combines(feeds) else self._run(feeds)
        return dict(zip(self.outputs, results, strict=True))

    async def answer(self, given: Mapping[str, Array], deadline: float | None, threads: Executor) -> dict[str, Array]:
        """As a call, to a coroutine; what is not combined with others is run by one of `threads`."""
        feeds = self._feeds(given)
        if self._batcher and self._batcher.combines(feeds):
            results = await self._batcher.answer(feeds, deadline)
        else:
            results = await on_thread(threads, self._run, feeds)
        return dict(zip(self.outputs, results, strict=True))

    def close(self) -> None:
        """Ends its threads; nobody may call it any more."""
        if self._batcher is not None:
            self._batcher.close()

    def _feeds(self, given: Mapping[str, Array]) -> list[Array]:
        if given.keys() != self._inputs.keys():
            extra = sorted(given.keys() - self._inputs.keys())
            missing = sorted(self._inputs.keys() - given.keys() - self._defaults.keys())
            if extra or missing:
                raise invalid(self._mismatch(sorted(given), extra, missing))
        return [one.checked(given[key] if key in given else self._defaults[key]) for key, one in self._inputs.items()]

    def _mismatch(self, given: Sequence[str], extra: Sequence[str], missing: Sequence[str]) -> str:
        """In TensorFlow Serving's words, which has others where as many inputs are sent as there are, or defaults."""
        sent = ",".join(given)
        rest = f"Sent extra: {{{','.join(extra)}}}. Missing but required: {{{','.join(missing)}}}."
        count = len(self._inputs)
        if len(given) > count or (len(given) < count and not self._defaults):
            names = ",".join(self._inputs)
            sizes = f"{len(given)}!={count} len({{{sent}}}) != len({{{names}}})"
            return f"input size does not match signature: {sizes}. {rest}"
        if missing:
            name, defaults = missing[0], ",".join(sorted(self._defaults))
            return (
                f"Signature input alias: {name}(feed name: {self._inputs[name].tensor}) not found in request and no "
                f"default value provided. Inputs expected to be in the request {{{sent}}}, or default input alias set: "
                f"{defaults}. {rest}"
            )
        used = ",".join(key for key in given if key in self._inputs)
        return f"Inputs contains invalid name. Used request inputs: {used}, request input: {sent}. {rest}"

    def _run(self, feeds: Sequence[Array]) -> list[Array]:
        try:
            fetched = self._callable(max((one.shape[0] for one in feeds if one.ndim), default=1) <= _SMALL)(*feeds)
        except tf.errors.OpError as error:
            raise RequestError(_CODES.get(error.error_code, grpc.StatusCode.UNKNOWN), str(error.message)) from error
        except (TypeError, ValueError) as error:  # of a value that TensorFlow cannot take
            raise invalid(str(error)) from error
        except MemoryError as error:
            raise RequestError(grpc.StatusCode.RESOURCE_EXHAUSTED, "There is not enough memory.") from error
        return [feeds[place] if fed else _array(fetched[place]) for fed, place in self._found]

    def _callable(self, small: bool) -> Any:
        """TensorFlow's own call, with nothing to look up in each; `Session.make_callable` makes it without feeds only.

        Few rows are computed by the thread that asks: to hand operations to other threads takes longer than they do.
        Many are computed by TensorFlow's threads, so that operations that need nothing of each other share the
        processors. The second of the two is made when it is needed.
        """
        call = self._calls.get(small)
        if call is not None:
            return call
        feeds, fetches = self._tensors
        if not fetches:
            return lambda *feeds: []
        options = CallableOptions(feed=feeds, fetch=fetches)
        options.run_options.inter_op_thread_pool = -1 if small else 0
        with self._lock:
            if small not in self._calls:
                try:
                    self._calls[small] = self._session._make_callable_from_options(options)
                except tf.errors.OpError as error:
                    code = _CODES.get(error.error_code, grpc.StatusCode.UNKNOWN)
                    raise RequestError(code, f"The signature cannot be run: {error.message}") from error
            return self._calls[small]


class _Input:
    """What one input of a signature takes: what the graph does, whatever the signature says of dtype and shape.

    TensorFlow Serving looks at neither, and models are served whose signatures are not exact. A shape that the model
    cannot take is refused by its operations.
    """

    def __init__(self, number: int, key: str, info: TensorInfo, graph: tf.Graph) -> None:
        self.tensor = info.name
        self._where = f"arg[{number}]"
        self._key = key
        dtype = _graph_dtype(graph, info)
        self._dtype = dtype_of(dtype)
        self._dtype_text = dtype_text(tf.as_dtype(dtype))

    def checked(self, value: Array) -> Array:
        """The value, if the signature takes it."""
        is_string = value.dtype.kind in "OSU"
        if value.dtype != self._dtype and not (is_string and self._dtype.kind == "O"):
            provided = "string" if is_string else dtype_text(tf.as_dtype(value.dtype))
            raise invalid(
                f"Expects {self._where} to be {self._dtype_text} but {provided} is provided, "
                f'for the input "{self._key}".'
            )
        # NumPy cuts trailing zeros from arrays of fixed length, so that those can only be what others made.
        if value.dtype.kind == "U":
            return np.char.encode(value, "utf-8").astype(object)
        return value.astype(object) if value.dtype.kind == "S" else value


def _graph_dtype(graph: tf.Graph, info: TensorInfo) -> int:
    try:
        return int(graph.get_tensor_by_name(info.name).dtype.as_datatype_enum)
    except (KeyError, ValueError):  # there is no such tensor: what calls it will say so
        return int(info.dtype)


def _shape(info: TensorInfo) -> tuple[int, ...] | None:
    """None where it is not known; -1 for a dimension that is not."""
    shape: TensorShapeProto = info.tensor_shape
    if not info.HasField("tensor_shape") or shape.unknown_rank:
        return None
    return tuple(dim.size for dim in shape.dim)


def _has_rows(info: TensorInfo) -> bool:
    """Whether its first dimension may have any size."""
    shape = _shape(info)
    return shape is not None and shape[:1] == (-1,)


def _array(value: Any) -> Array:
    """What a session gives, as an array: it makes bytes of a string and a NumPy scalar of a number."""
    if isinstance(value, bytes):
        found = np.empty((), object)
        found[()] = value
        return found
    return np.asarray(value)
