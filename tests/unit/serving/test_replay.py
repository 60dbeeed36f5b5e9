"""Replay: which label gets which part of the requests, and what is made of the answers."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
import tensorflow as tf
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from schemas.errors import ReleaseError
from serving.canary import Limits
from serving.remote_server import RemoteServer
from serving.replay import Replay
from tests.unit.serving.model_server import ModelServer, running
from tests.unit.serving.prediction_server import Predictions

# The times of a test's machine decide nothing here.
LIMITS = Limits(minimum_requests=20, latency_increase=30.0)
VERSIONS = {"stable": 1, "canary": 2}


@pytest.fixture
def predictions() -> Iterator[Predictions]:
    server = ModelServer(labels={"taxi": dict(VERSIONS)})
    found = Predictions(server)
    with running(server, found.add):
        yield found


@pytest.fixture
def replay(predictions: Predictions) -> Iterator[Replay]:
    with Replay([predictions.server.address], "taxi") as replay:
        yield replay


def requests() -> list[PredictRequest]:
    """Ten, with x from 0 to 9."""
    return [PredictRequest(inputs={"x": tf.make_tensor_proto([float(x)])}) for x in range(10)]


def test_the_canary_gets_its_part_and_not_always_the_same_requests(replay: Replay, predictions: Predictions) -> None:
    got: list[float] = []
    predictions.answers[2] = lambda x: got.append(x) or x
    replay.watch(requests(), VERSIONS, 10.0, Limits(minimum_requests=10**6), 500)
    assert len(predictions.asked) == 500
    assert 30 <= predictions.asked.count(2) <= 70
    assert len(set(got)) == 10


def test_a_server_of_this_machine_is_asked_without_a_proxy(
    predictions: Predictions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    for name in ("grpc_proxy", "no_grpc_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Replay([predictions.server.address], "taxi") as replay:
        replay.watch(requests(), VERSIONS, 50.0, LIMITS, 1)
    assert len(predictions.asked) == 1
    with RemoteServer(predictions.server.address, 5.0) as server:
        server.load(ModelServerConfig())


def test_a_canary_that_answers_as_stable_does_is_promoted(replay: Replay) -> None:
    verdict = replay.watch(requests(), VERSIONS, 50.0, Limits(200, latency_increase=30.0), 1000)
    assert verdict.decision == "promote"


def test_a_canary_with_errors_is_rolled_back(replay: Replay, predictions: Predictions) -> None:
    def fail(x: float) -> float:
        raise ValueError("no such feature")

    predictions.answers[2] = fail
    verdict = replay.watch(requests(), VERSIONS, 30.0, LIMITS, 500)
    assert verdict.decision == "roll back"
    assert "requests failed, of stable's 0 of" in verdict.reasons[0]


def test_a_canary_that_predicts_something_else_is_rolled_back(replay: Replay, predictions: Predictions) -> None:
    predictions.answers[2] = lambda x: x + 5.0
    verdict = replay.watch(requests(), VERSIONS, 45.0, LIMITS, 500)
    assert verdict.decision == "roll back"
    assert verdict.reasons[0].startswith("stability index of serving_default/score")


def test_where_there_are_too_few_requests_there_is_no_verdict(replay: Replay) -> None:
    said: list[str] = []
    verdict = replay.watch(requests(), VERSIONS, 10.0, Limits(minimum_requests=50), 60, said.append)
    assert verdict.decision == "keep watching"
    assert [one.partition(":")[0] for one in said] == ["50 requests", "60 requests"]


def test_a_label_that_somebody_has_moved_ends_it(replay: Replay, predictions: Predictions) -> None:
    predictions.server.labels["taxi"]["canary"] = 3
    with pytest.raises(
        ReleaseError, match=r"canary leads to another version.*\n.*\n  Received: version 3 instead of 2"
    ):
        replay.watch(requests(), VERSIONS, 50.0, LIMITS, 100)


def test_the_signatures_are_the_models(replay: Replay) -> None:
    assert list(replay.signatures()["serving_default"].inputs) == ["x"]


def test_a_server_that_is_not_there_is_named() -> None:
    with socket.socket() as bound:  # and does not listen
        bound.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        with (
            Replay([address], "taxi") as replay,
            pytest.raises(ReleaseError, match=f"Where: {address}\n.*UNAVAILABLE"),
        ):
            replay.signatures()
