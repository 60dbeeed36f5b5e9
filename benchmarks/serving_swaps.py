"""Requests by both protocols while versions of a model are swapped underneath. Imports TensorFlow."""

from __future__ import annotations

import base64
import json
import shutil
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from benchmarks.serving_servers import Running, ours, run_load

_NAME = "taxi"
_PORT = 9610
_INPUTS = 64
_KEPT = 2  # versions that are there at a time
_MODELS = 20  # which differ; version n is the nth of them, from the start again at the end
_PAUSE = 0.5  # seconds between two swaps
_CONCURRENCY = 16  # of each protocol


def swap(folder: Path, requests: int) -> dict[str, Any]:
    """Sends requests to a server whose model's folder changes all the time.

    Version n answers x with [x + k, k] where k is n modulo `_MODELS`, so that an answer says which version gave it. The
    newest is served; a new one comes every half second, and then the oldest goes, or each fifth time the newest.

    Args:
        folder: for the models.
        requests: how many in all, half of them by each protocol.

    Returns:
        JSON-ready: `swaps`, `seconds`, and by protocol how many `requests` were answered, `failed` or `wrong`, and how
        many `versions` answered.
    """
    base = folder / _NAME
    base.mkdir()
    models = folder / "models"
    _save(models)
    _publish(models, base, 1)
    bodies = {"grpc": [_predict_request(k) for k in range(_INPUTS)], "rest": [_rest(k) for k in range(_INPUTS)]}
    server = ours("ours", "--poll-seconds", "0.1", "--batching")
    began = time.monotonic()
    ended = threading.Event()
    with Running(server, base / "1", _PORT, folder / "log", bodies["rest"][0]) as running:
        swapping = ThreadPoolExecutor(1).submit(_swap_until, ended, models, base)

        def load(protocol: str) -> dict[str, Any]:
            plan = {
                "protocol": protocol,
                "host": "127.0.0.1",
                "port": running.ports[protocol],
                "path": server.paths[protocol],
                "requests": [base64.b64encode(body).decode() for body in bodies[protocol]],
                "concurrency": _CONCURRENCY,
                "connections": _CONCURRENCY,
                "warm": 0,
                "seconds": 1e6,
                "count": requests // 2,
            }
            return run_load(plan, 1e6)

        with ThreadPoolExecutor(2) as pool:
            loads = dict(zip(("grpc", "rest"), pool.map(load, ("grpc", "rest")), strict=True))
        ended.set()
        newest = swapping.result()
    return {
        "requests": requests,
        "swaps": newest - 1,
        "seconds": time.monotonic() - began,
        "loads": {protocol: _judged(protocol, one, newest) for protocol, one in loads.items()},
    }


def _judged(protocol: str, load: dict[str, Any], newest: int) -> dict[str, Any]:
    wrong, seen = 0, set()
    for place, text, count in load["answers"]:
        value, model, version = _read(protocol, base64.b64decode(text))
        known = version is None or (1 <= version <= newest and version % _MODELS == model)
        wrong += 0 if known and value == place + model else count
        seen.add(model if version is None else version)
    for reason, count in load["failures"].items():
        print(f"{protocol}: {count} times {reason}", file=sys.stderr)
    failed = sum(load["failures"].values())
    return {"requests": load["requests"], "failed": failed, "wrong": wrong, "versions": len(seen)}


def _read(protocol: str, answer: bytes) -> tuple[float, int, int | None]:
    """The value of an answer, the model that made it, and the version that it names."""
    if protocol == "rest":
        value, model = json.loads(answer)["predictions"][0]
        return value, int(model), None
    response = predict_pb2.PredictResponse.FromString(answer)
    value, model = response.outputs["y"].float_val
    return value, int(model), response.model_spec.version.value


def _swap_until(ended: threading.Event, models: Path, base: Path) -> int:
    """Swaps versions; the newest number that there was."""
    newest = 1
    there = [1]
    while not ended.wait(_PAUSE):
        newest += 1
        _publish(models, base, newest)
        there.append(newest)
        if newest % 5 == 0 and not ended.wait(_PAUSE):
            _withdraw(base, there.pop())  # back to the one before
        while len(there) > _KEPT:
            _withdraw(base, there.pop(0))
    return newest


def _publish(models: Path, base: Path, version: int) -> None:
    """A version that is there as a whole or not at all."""
    hidden = base / f".{version}"
    shutil.copytree(models / str(version % _MODELS), hidden)
    hidden.rename(base / str(version))


def _withdraw(base: Path, version: int) -> None:
    hidden = base / f".{version}"
    (base / str(version)).rename(hidden)
    shutil.rmtree(hidden)


def _save(folder: Path) -> None:
    for number in range(_MODELS):
        graph = tf.Graph()
        with graph.as_default(), tf.compat.v1.Session(graph=graph) as session:
            x = tf.compat.v1.placeholder(tf.float32, [None], "x")
            y = tf.stack([x + float(number), tf.zeros_like(x) + float(number)], axis=1)
            tf.compat.v1.saved_model.simple_save(session, str(folder / str(number)), {"x": x}, {"y": y})


def _predict_request(number: int) -> bytes:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = _NAME
    request.inputs["x"].CopyFrom(tf.make_tensor_proto([float(number)], tf.float32))
    return bytes(request.SerializeToString())


def _rest(number: int) -> bytes:
    return json.dumps({"instances": [float(number)]}).encode()
