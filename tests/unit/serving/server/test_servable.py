from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

from serving.server.batching import BatchingOptions
from serving.server.request_error import RequestError
from serving.server.servable import Servable
from tests.tiny_models import echo, half_plus


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Servable:
    return Servable("half", 3, half_plus(tmp_path_factory.mktemp("half") / "3", 2.0))


@pytest.fixture(scope="module", params=[None, BatchingOptions(8, 0)], ids=["one by one", "batching"])
def echoing(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Servable:
    return Servable("echo", 1, echo(tmp_path_factory.mktemp("echo") / "1"), request.param)


def echoed(**changed: Any) -> dict[str, Any]:
    return {
        "long": np.array([2**63 - 1, -(2**63)]),
        "unsigned": np.array([2**64 - 1, 0], np.uint64),
        "text": np.array([b"a\0", b"\xff"], object),
        "pair": np.array([[0.1, 0.2], [0.3, 0.4]]),
    } | changed


def code_and_message(servable: Servable, *arguments: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(RequestError) as raised:
        servable.run(*arguments)
    return raised.value.code, raised.value.message


def test_a_signature_is_run(half: Servable) -> None:
    found = half.run("serving_default", {"x": np.array([[2.0], [4.0]], np.float32)})
    assert found["y"].tolist() == [[3.0], [4.0]]
    assert found["y"].dtype == np.float32


def test_a_signature_that_cannot_be_run_is_told(half: Servable, monkeypatch: pytest.MonkeyPatch) -> None:
    signature = SignatureDef()
    signature.CopyFrom(half.signatures["serving_default"])
    signature.inputs["again"].CopyFrom(signature.inputs["x"])
    monkeypatch.setitem(half.signatures, "twice", signature)
    x = np.zeros((1, 1), np.float32)
    code, message = code_and_message(half, "twice", {"x": x, "again": x})
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert "fed more than once" in message


def test_every_type_comes_back_exactly(echoing: Servable) -> None:
    given = echoed()
    found = echoing.run("serving_default", given)
    assert found.pop("rows").tolist() == 2
    assert found.keys() == given.keys()
    for key, value in given.items():
        assert found[key].dtype == value.dtype
        assert found[key].tolist() == value.tolist()


def test_outputs_are_chosen(echoing: Servable) -> None:
    assert echoing.run("serving_default", echoed(), ["text", "rows"]).keys() == {"text", "rows"}


def test_no_rows_are_fine(echoing: Servable) -> None:
    assert echoing.run("divide", {"divisor": np.zeros(0, np.int32)})["quotient"].shape == (0,)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("other", {}), 'Serving signature key "other" not found'),
        (("serving_default", echoed(more=np.zeros(1))), "Sent extra: {more}. Missing but required: {}"),
        (("divide", {}), "Sent extra: {}. Missing but required: {divisor}"),
        (
            ("divide", {"dividend": np.zeros(1, np.int32)}),
            r"Signature input alias: divisor\(feed name: \S+:0\) not found in request and no default value provided. "
            r"Inputs expected to be in the request {dividend}, or default input alias set: .",
        ),
        (("divide", {"divisor": np.array([1.0])}), 'to be int32 but double is provided, for the input "divisor"'),
        (("divide", {"divisor": np.array([b"1"], object)}), r"Expects arg\[0\] to be int32 but string is provided"),
        (("serving_default", echoed(text=np.zeros(2))), "to be string but double is provided"),
        (("serving_default", echoed(), ["nothing"]), "output tensor alias not found in signature: nothing"),
        (("serving_default", echoed(), ["rows", "rows"]), "duplicate output tensor alias: rows"),
        (("divide", {"divisor": np.array([1, 0], np.int32)}), "division by zero"),
    ],
)
def test_what_a_signature_does_not_take_is_told(echoing: Servable, arguments: Any, message: str) -> None:
    code, found = code_and_message(echoing, *arguments)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert re.search(message, found), found


def test_a_deadline_that_has_passed_is_told(half: Servable) -> None:
    feeds = {"x": np.array([[2.0]], np.float32)}
    code, _ = code_and_message(half, "serving_default", feeds, None, time.monotonic() - 1)
    assert code is grpc.StatusCode.DEADLINE_EXCEEDED


def test_many_choices_of_outputs_do_not_fill_the_memory(echoing: Servable) -> None:
    names = sorted(echoed())
    for number in range(1, 16):
        wanted = [name for place, name in enumerate(names) if number >> place & 1]
        assert echoing.run("serving_default", echoed(), wanted).keys() == set(wanted)
    assert len(echoing._calls) <= 64


def test_a_folder_without_a_model_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="SavedModel file does not exist"):
        Servable("empty", 1, tmp_path)
