"""The model behind Ray Serve, in Ray's environment: `python serving_ray.py SAVED_MODEL PORT REPLICAS BATCHED`.

BATCHED is 1 where `serve.batch` puts requests together, and 0 where not.
"""

from __future__ import annotations

import base64
import signal
import sys
from typing import Any

import ray
from ray import serve


class _Model:
    def __init__(self, path: str) -> None:
        import tensorflow as tf

        self._tf = tf
        self._signature = tf.saved_model.load(path).signatures["serving_default"]

    def _run(self, rows: list[bytes]) -> list[Any]:
        return self._signature(examples=self._tf.constant(rows))["predictions"].numpy().tolist()


class Taxi(_Model):
    """The signature that takes serialized tf.Examples."""

    async def __call__(self, request: Any) -> dict[str, Any]:
        """Answers `instances` of `{"b64": ...}`."""
        return {"predictions": self._run([base64.b64decode(one["b64"]) for one in (await request.json())["instances"]])}


class BatchedTaxi(_Model):
    """The same, whose requests have a row each and are put together."""

    @serve.batch(max_batch_size=64, batch_wait_timeout_s=0.001)
    async def _batch(self, rows: list[bytes]) -> list[Any]:
        return self._run(rows)

    async def __call__(self, request: Any) -> dict[str, Any]:
        """Answers `instances` of one `{"b64": ...}`."""
        return {"predictions": [await self._batch(base64.b64decode((await request.json())["instances"][0]["b64"]))]}


if __name__ == "__main__":
    path, port, replicas, batched = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] != "0"
    ray.init(_node_ip_address="127.0.0.1", include_dashboard=False, log_to_driver=False, ignore_reinit_error=True)
    serve.start(http_options={"host": "127.0.0.1", "port": port}, logging_config={"enable_access_log": False})
    deployment = serve.deployment(num_replicas=replicas, max_ongoing_requests=100, ray_actor_options={"num_cpus": 0.5})(
        BatchedTaxi if batched else Taxi
    )
    serve.run(deployment.bind(path), route_prefix="/taxi")
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    serve.shutdown()
    ray.shutdown()
