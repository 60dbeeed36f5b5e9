"""A client that asks model servers all the time, while their labels move."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import grpc
import tensorflow as tf
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub


@dataclass(eq=False)  # threads are kept by identity
class LabelClient(threading.Thread):
    """Asks for `taxi` by gRPC, x from 0 to 4.9, until it is stopped.

    Attributes:
        servers: address and label, asked in turn.
        versions: which answered, those in a row once.
        errors: their code and text, and how often.
    """

    servers: Sequence[tuple[str, str]]
    versions: list[int] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        super().__init__()
        self._stopped = threading.Event()

    def run(self) -> None:
        number = 0
        with ExitStack() as channels:
            stubs = [
                (PredictionServiceStub(channels.enter_context(grpc.insecure_channel(address))), label)
                for address, label in self.servers
            ]
            while not self._stopped.is_set():
                number += 1
                request = PredictRequest(inputs={"x": tf.make_tensor_proto([[number % 50 / 10]])})
                stub, request.model_spec.version_label = stubs[number % len(stubs)]
                request.model_spec.name = "taxi"
                try:
                    version = stub.Predict(request, timeout=30).model_spec.version.value
                    if version not in self.versions[-1:]:
                        self.versions.append(version)
                except grpc.RpcError as error:
                    self.errors[f"{error.code()}: {error.details()}"] += 1

    def until(self, version: int) -> None:
        """Waits for an answer of this version to be the last."""
        while self.versions[-1:] != [version]:
            assert not self.errors, self.errors
            time.sleep(0.002)

    def __enter__(self) -> LabelClient:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self.join()
