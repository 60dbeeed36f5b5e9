"""A model server that a change of labels is told to, by the gRPC service tensorflow.serving.ModelService.

Protocol: apis/model_service.proto, model_management.proto and get_model_status.proto of TensorFlow Serving. A server
refuses a config with a label on a version that is not loaded, before it loads anything by it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import grpc
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest, ModelVersionStatus
from tensorflow_serving.apis.model_management_pb2 import ReloadConfigRequest
from tensorflow_serving.apis.model_service_pb2_grpc import ModelServiceStub
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from schemas.errors import ReleaseError
from serving.client.client_tls import ClientTls
from serving.client.grpc_channel import grpc_channel
from serving.client.other_port import other_port
from serving.other_models import with_kept

_CALL_SECONDS = 60.0
_POLL_SECONDS = 0.05
_STALE_SECONDS = 5.0
_SERVED = (ModelVersionStatus.START, ModelVersionStatus.LOADING, ModelVersionStatus.AVAILABLE)


class RemoteServer:
    """The server at an address.

    Args:
        address: `host:port` of its gRPC port, `grpcs://` before it for TLS.
        load_seconds: how long it may take to load a version.
        keep: models that it has beside those of the configs that it is told; default: none.
        tls: for `grpcs://`; default: that of the authorities that gRPC brings.
    """

    def __init__(
        self,
        address: str,
        load_seconds: float,
        keep: ModelServerConfig | None = None,
        tls: ClientTls | None = None,
    ) -> None:
        self.address = address
        self.keep = keep
        self._load_seconds = load_seconds
        self._tls = tls
        self._channel = grpc_channel(address, tls=tls)
        self._stub = ModelServiceStub(self._channel)

    def __enter__(self) -> RemoteServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def load(self, config: ModelServerConfig) -> None:
        """Has it load what the config names.

        Returns when the server answers: ours has loaded everything by then, TensorFlow Serving the models that it had
        not served before; see `wait_until_available`. Labels stay where they are. Those whose version it has not
        loaded, as there are when it has just started, are left out: it would refuse the config for them.

        Raises:
            ReleaseError: it does not answer, or refuses the config.
        """
        given = with_kept(config, self.keep)
        for entry in given.model_config_list.config:
            if entry.version_labels:
                available = {one.version for one in self._states(entry.name) if _is_available(one)}
                for label, version in dict(entry.version_labels).items():
                    if version not in available:
                        del entry.version_labels[label]
        self.reload(given)

    def reload(self, config: ModelServerConfig) -> None:
        """Gives it another config, with its labels.

        Raises:
            ReleaseError: it does not answer, or refuses the config.
        """
        request = ReloadConfigRequest(config=with_kept(config, self.keep))
        for entry in request.config.model_config_list.config:
            if not entry.model_platform and not entry.model_type:
                entry.model_platform = "tensorflow"  # a file may leave it out for our server, a reload may not
        with self._translated("did not take the config"):
            answer = self._stub.HandleReloadConfigRequest(request, timeout=max(_CALL_SECONDS, self._load_seconds))
        if answer.status.error_code:
            raise self._refused("did not take the config", answer.status.error_message)

    def wait_until_available(self, config: ModelServerConfig) -> None:
        """Returns when it has loaded every version that has a label in the config.

        Raises:
            ReleaseError: it does not answer, cannot load one, or takes too long.
        """
        deadline = time.monotonic() + self._load_seconds
        for entry in with_kept(config, self.keep).model_config_list.config:
            for version in sorted(set(entry.version_labels.values())):
                self._wait(entry.name, version, deadline)

    def serves(self, model: str) -> bool:
        """Whether it has a model, or is loading it.

        Raises:
            ReleaseError: it does not answer.
        """
        return any(one.state in _SERVED for one in self._states(model))

    def _wait(self, model: str, version: int, deadline: float) -> None:
        # Of an earlier attempt a server may still know that it failed, until it begins anew.
        stale = time.monotonic() + _STALE_SECONDS
        while True:
            state = next((one for one in self._states(model) if one.version == version), None)
            if state is not None and _is_available(state):
                return
            now = time.monotonic()
            failed = state is not None and state.state == ModelVersionStatus.END and state.status.error_code
            if state is not None and state.state in (ModelVersionStatus.START, ModelVersionStatus.LOADING):
                stale = now
            elif failed and now >= stale:
                raise self._refused(f"cannot load version {version} of {model}", _told(state))
            if now >= deadline:
                what = f"has not loaded version {version} of {model} after {self._load_seconds:g} seconds"
                raise self._refused(what, _told(state))
            time.sleep(_POLL_SECONDS)

    def _states(self, model: str) -> list[Any]:
        """ModelVersionStatus of each version that the server knows."""
        request = GetModelStatusRequest()
        request.model_spec.name = model
        with self._translated(f"does not tell the state of {model}"):
            try:
                return list(self._stub.GetModelStatus(request, timeout=_CALL_SECONDS).model_version_status)
            except grpc.RpcError as error:
                if error.code() == grpc.StatusCode.NOT_FOUND:
                    return []
                raise

    @contextlib.contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        try:
            yield
        except grpc.RpcError as error:
            raise self._refused(what, f"{error.code().name}: {error.details()}") from error

    def _refused(self, what: str, received: str) -> ReleaseError:
        fix = "Check the server at this gRPC address and its log, then give the command again."
        if self.keep is not None and (kept := [entry.name for entry in self.keep.model_config_list.config]):
            fix += f" Where it tells of {', '.join(kept)}: --keep names folders as the server sees them."
        return ReleaseError(
            f"A model server {what}.",
            where=self.address,
            received=received,
            fix=other_port(self.address, "gRPC", self._tls) or fix,
        )


def _is_available(state: Any) -> bool:
    return bool(state.state == ModelVersionStatus.AVAILABLE)


def _told(state: Any) -> str:
    if state is None:
        return "it does not know the version: check base_path, and that it sees the folder"
    name = ModelVersionStatus.State.Name(state.state)
    return f"{name}: {state.status.error_message}" if state.status.error_message else name
