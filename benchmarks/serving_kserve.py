"""The model behind KServe's Python server: `python serving_kserve.py SAVED_MODEL PORT WORKERS`, in KServe's environment."""

from __future__ import annotations

import base64
import sys
from typing import Any

import kserve
import tensorflow as tf


class Taxi(kserve.Model):
    """The signature that takes serialized tf.Examples, by KServe's protocol of version 1."""

    def __init__(self, path: str) -> None:
        super().__init__("taxi")
        self._path = path
        self._signature: Any = None
        self.ready = True

    def predict(self, payload: dict[str, Any], headers: Any = None, *rest: Any) -> dict[str, Any]:
        """Answers `instances` of `{"b64": ...}`."""
        if self._signature is None:  # KServe pickles models for its processes, and a SavedModel cannot be
            self._signature = tf.saved_model.load(self._path).signatures["serving_default"]
        rows = [base64.b64decode(one["b64"]) for one in payload["instances"]]
        return {"predictions": self._signature(examples=tf.constant(rows))["predictions"].numpy().tolist()}


if __name__ == "__main__":
    path, port, workers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    server = kserve.ModelServer(http_port=port, enable_grpc=False, workers=workers, enable_latency_logging=False)
    server.start([Taxi(path)])
