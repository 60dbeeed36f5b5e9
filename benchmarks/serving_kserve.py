"""The model behind KServe's Python server: `serving_kserve.py SAVED_MODEL PORT WORKERS`, in KServe's environment."""

from __future__ import annotations

import base64
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import kserve
from kserve.protocol.rest.multiprocess import server as multiprocess


class Taxi(kserve.Model):
    """The signature that takes serialized tf.Examples, by KServe's protocol of version 1."""

    def __init__(self, path: str) -> None:
        super().__init__("taxi")
        self._path = path
        self._loading: Future[Any] | None = None
        self.ready = True

    def __setstate__(self, state: dict[str, Any]) -> None:
        """In a process that KServe has started."""
        self.__dict__.update(state)
        self._start()

    def _start(self) -> Future[Any]:
        if self._loading is None:
            self._loading = ThreadPoolExecutor(1).submit(_load, self._path)
        return self._loading

    def predict(self, payload: dict[str, Any], headers: Any = None, *rest: Any) -> dict[str, Any]:
        """Answers `instances` of `{"b64": ...}`."""
        run = self._start().result()
        return {"predictions": run([base64.b64decode(one["b64"]) for one in payload["instances"]])}


def _load(path: str) -> Any:
    import tensorflow as tf

    signature = tf.saved_model.load(path).signatures["serving_default"]
    return lambda rows: signature(examples=tf.constant(rows))["predictions"].numpy().tolist()


if __name__ == "__main__":
    path, port, workers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    ping = multiprocess.RESTServerProcess.ping
    # It ends processes that do not answer in 5 s, which is short for Python and its packages to start.
    multiprocess.RESTServerProcess.ping = lambda process, timeout=60.0: ping(process, 60.0)
    server = kserve.ModelServer(http_port=port, enable_grpc=False, workers=workers, enable_latency_logging=False)
    server.start([Taxi(path)])
