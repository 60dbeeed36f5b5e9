"""The taxi model, what it is asked and what is right: rows of the eval split. Imports TensorFlow."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from benchmarks.output_dir import examples_folder, released_model
from benchmarks.predictions import batches
from schemas.errors import RunError
from serving.server.servable import Servable

NAME = "taxi"
_ROWS = 256
_TOLERANCE = 1e-4  # relative: a batch of other size is multiplied in another order


@dataclass(frozen=True)
class Questions:
    """One row a request.

    Attributes:
        model: folder of the SavedModel.
        examples: serialized tf.Examples.
        right: the prediction for each.
    """

    model: Path
    examples: tuple[bytes, ...]
    right: npt.NDArray[np.float32]

    @classmethod
    def of_run(cls, output_dir: Path) -> Questions:
        """For the newest release of a run of configs/taxi.yaml."""
        model = released_model(output_dir, NAME)
        every = chain.from_iterable(batches(examples_folder(output_dir, "eval")))
        examples = tuple(one.numpy() for one in islice(every, _ROWS))
        servable = Servable(NAME, int(model.name), model)
        right = servable.run("serving_default", {"examples": _rows(examples)})["predictions"]
        servable.close()
        return cls(model, examples, right[:, 0])

    def bodies(self, kind: str) -> list[bytes]:
        """Requests of `grpc`, of `rest` with `instances`, or of `mlflow`."""
        if kind == "grpc":
            return [_predict_request(one).SerializeToString() for one in self.examples]
        texts = [base64.b64encode(one).decode() for one in self.examples]
        if kind == "mlflow":
            return [json.dumps({"inputs": [one]}).encode() for one in texts]
        return [json.dumps({"instances": [{"b64": one}]}).encode() for one in texts]

    def check(self, load: dict[str, Any], protocol: str, where: str) -> None:
        """Whether every answer of a load is right.

        Raises:
            RunError: a request failed, or an answer is wrong.
        """
        wrong = [one for one in load["answers"] if not self._is_right(one[0], base64.b64decode(one[1]), protocol)]
        if load["failures"] or wrong:
            received = [load["failures"], wrong[:3]]
            raise RunError("Requests failed or were answered wrongly.", where=where, received=received)

    def _is_right(self, place: int, answer: bytes, protocol: str) -> bool:
        value = value_of(answer, protocol)
        return bool(np.allclose(value, self.right[place], rtol=_TOLERANCE, atol=1e-6))


def value_of(answer: bytes, protocol: str) -> float:
    """The one prediction of an answer."""
    if protocol == "grpc":
        return float(predict_pb2.PredictResponse.FromString(answer).outputs["predictions"].float_val[0])
    found: list[float] = np.ravel(json.loads(answer)["predictions"]).tolist()
    return found[0] if len(found) == 1 else float("nan")


def _predict_request(example: bytes) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = NAME
    request.inputs["examples"].CopyFrom(tf.make_tensor_proto([example]))
    return request


def _rows(examples: tuple[bytes, ...]) -> npt.NDArray[Any]:
    rows = np.empty(len(examples), object)
    rows[:] = examples
    return rows


def direct_calls(questions: Questions) -> dict[str, Callable[[int], Any]]:
    """The ways to call the model in this process, by name; each takes the number of a row.

    `session` is the fastest that TensorFlow documents, Session.run of TensorFlow 1, set as our server's is;
    `signature` is that of tf.saved_model.load, which is what most programs do.
    """
    loaded = tf.saved_model.load(str(questions.model)).signatures["serving_default"]
    servable = Servable(NAME, 1, questions.model)
    session, signature = servable._session, servable.signatures["serving_default"]
    fed, fetched = signature.inputs["examples"].name, signature.outputs["predictions"].name
    return {
        "session": lambda place: session.run(fetched, {fed: [questions.examples[place]]}),
        "signature": lambda place: loaded(examples=tf.constant([questions.examples[place]]))["predictions"].numpy(),
    }


def time_direct(questions: Questions, call: Callable[[int], Any], seconds: float, rest: float) -> dict[str, float]:
    """Calls one after the other, so many seconds of rest between two; calls a second, p50 and p99 in milliseconds."""
    taken: list[float] = []
    for warm in (True, False):
        taken.clear()
        until = time.perf_counter() + (min(seconds, 1.0) if warm else seconds)
        while (began := time.perf_counter()) < until:
            call(len(taken) % len(questions.examples))
            taken.append(time.perf_counter() - began)
            time.sleep(rest)
    ordered = sorted(taken)
    return {
        "rate": len(taken) / sum(taken),
        "p50": 1e3 * ordered[len(ordered) // 2],
        "p99": 1e3 * ordered[int(0.99 * len(ordered))],
    }
