"""Traffic for a canary: recorded requests, a part of them to `canary` and the rest to `stable`, until a verdict.

Protocol: tensorflow.serving.PredictionService (apis/prediction_service.proto).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import grpc
import tensorflow as tf
from tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataRequest, SignatureDefMap
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from schemas.counted import counted
from schemas.errors import ReleaseError
from serving.audit_log import CANARY, STABLE
from serving.canary import Limits, Verdict, decide
from serving.client.client_tls import ClientTls
from serving.client.grpc_channel import grpc_channel
from serving.client.other_port import other_port
from serving.seen_traffic import SeenTraffic, compared

_CALL_SECONDS = 30.0
_JUDGE_EVERY = 50
_TOLD_EVERY = 10.0  # seconds, where requests take long
_UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


class Replay:
    """Sends requests to the labels of a model and compares the answers.

    Args:
        addresses: gRPC addresses of model servers, which are asked in turn; `grpcs://` before them for TLS.
        model: its name.
        tls: for `grpcs://`; default: that of the authorities that gRPC brings.
    """

    def __init__(self, addresses: Iterable[str], model: str, tls: ClientTls | None = None) -> None:
        self._model = model
        self._tls = tls
        self._channels = {address: grpc_channel(address, _UNLIMITED, tls) for address in addresses}
        self._stubs = [PredictionServiceStub(channel) for channel in self._channels.values()]

    def __enter__(self) -> Replay:
        return self

    def __exit__(self, *_: object) -> None:
        for channel in self._channels.values():
            channel.close()

    def signatures(self) -> dict[str, Any]:
        """SignatureDefs by name, of the version that the first server answers with by default.

        Raises:
            ReleaseError: the server does not answer, or does not have the model.
        """
        request = GetModelMetadataRequest(metadata_field=["signature_def"])
        request.model_spec.name = self._model
        try:
            answer = self._stubs[0].GetModelMetadata(request, timeout=_CALL_SECONDS)
        except grpc.RpcError as error:
            raise ReleaseError(
                f"A model server does not tell the signatures of {self._model}.",
                where=next(iter(self._channels)),
                received=f"{error.code().name}: {error.details()}",
                fix=other_port(next(iter(self._channels)), "gRPC", self._tls)
                or "Check the server at this gRPC address, and that it serves the model.",
            ) from error
        found = SignatureDefMap()
        answer.metadata["signature_def"].Unpack(found)
        return dict(found.signature_def)

    def watch(
        self,
        requests: Sequence[PredictRequest],
        versions: Mapping[str, int],
        percent: float,
        limits: Limits,
        most: int,
        say: Callable[[str], None] = lambda text: None,
    ) -> Verdict:
        """Sends the requests, again and again, until the canary is promoted or rolled back by the rules.

        Args:
            requests: at least one.
            versions: those that `stable` and `canary` are to have.
            percent: of the requests, to `canary`.
            limits: the rules.
            most: how many requests are sent before it stays at `keep watching`.
            say: told of the state now and then.

        Raises:
            ReleaseError: a label leads to another version by now.
        """
        seen = {STABLE: SeenTraffic(), CANARY: SeenTraffic()}
        verdict = Verdict("keep watching", ("nothing was sent yet",))
        # By chance, the same one each time: every n-th request would always be the same few of a file.
        chance, told = random.Random(0), time.monotonic()
        for number in range(most):
            label = CANARY if chance.random() * 100 < percent else STABLE
            request = PredictRequest()
            request.CopyFrom(requests[number % len(requests)])
            request.model_spec.name, request.model_spec.version_label = self._model, label
            self._send(self._stubs[number % len(self._stubs)], request, seen[label], label, versions[label])
            now = time.monotonic()
            if (number + 1) % _JUDGE_EVERY == 0 or number + 1 == most or now - told >= _TOLD_EVERY:
                told, verdict = now, decide(*compared(seen[STABLE], seen[CANARY]), limits)
                say(f"{counted(number + 1, 'request')}: {verdict.decision}: {'; '.join(verdict.reasons)}")
                if verdict.decision != "keep watching":
                    break
        return verdict

    def _send(self, stub: Any, request: PredictRequest, seen: SeenTraffic, label: str, version: int) -> None:
        start = time.perf_counter()
        try:
            answer = stub.Predict(request, timeout=_CALL_SECONDS)
        except grpc.RpcError:
            seen.failed()
            return
        seconds = time.perf_counter() - start
        served = answer.model_spec.version.value
        if served not in (0, version):  # 0: a server that does not tell
            raise ReleaseError(
                f"The label {label} leads to another version by now.",
                where=self._model,
                received=f"version {served} instead of {version}",
                fix="Somebody else has moved it meanwhile: scalable-tf release show VERSION tells who.",
            )
        signature = request.model_spec.signature_name or tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY
        seen.answered(seconds, {(signature, name): tf.make_ndarray(one) for name, one in answer.outputs.items()})
