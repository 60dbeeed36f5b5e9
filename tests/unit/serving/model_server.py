"""A gRPC server with TensorFlow Serving's rules for configs, labels and states, and answers that a test chooses."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any
from unittest import mock

import grpc
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusResponse, ModelVersionStatus
from tensorflow_serving.apis.model_management_pb2 import ReloadConfigResponse
from tensorflow_serving.apis.model_service_pb2_grpc import ModelServiceServicer, add_ModelServiceServicer_to_server
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from serving.served_models import labels_of, loaded_versions

_LOOKS = 2
"""How often a version is seen loading before it is available."""

START, LOADING, AVAILABLE, END = (
    getattr(ModelVersionStatus, name) for name in ("START", "LOADING", "AVAILABLE", "END")
)


@dataclass
class ModelServer(ModelServiceServicer):
    """What it holds.

    Attributes:
        labels: by model.
        states: of the versions of each model.
        broken: versions that cannot be loaded.
        slow: versions whose loading does not end.
        refuses: told before each config is taken; what it returns is why it is not.
        configs: those that were taken, one after the other.
    """

    labels: dict[str, dict[str, int]] = field(default_factory=dict)
    states: dict[str, dict[int, Any]] = field(default_factory=dict)
    broken: set[int] = field(default_factory=set)
    slow: set[int] = field(default_factory=set)
    refuses: Callable[[ModelServerConfig], str] = lambda config: ""
    configs: list[ModelServerConfig] = field(default_factory=list)
    address: str = ""
    served: list[dict[str, int]] = field(default_factory=list)
    """Labels of the model after each config: what clients saw."""

    def __post_init__(self) -> None:
        self._lock = Lock()
        self._looks: dict[tuple[str, int], int] = {}

    def start_with(self, config: ModelServerConfig) -> None:
        """As at its start: everything is loaded."""
        for entry in config.model_config_list.config:
            versions = self._wanted(config, entry)
            self.states[entry.name] = dict.fromkeys(versions, AVAILABLE)
            self.labels[entry.name] = labels_of(config, entry.name)

    def HandleReloadConfigRequest(self, request: Any, context: Any) -> ReloadConfigResponse:
        with self._lock:
            config = request.config
            if why := self.refuses(config):
                context.abort(grpc.StatusCode.INTERNAL, why)
            for entry in config.model_config_list.config:
                if not entry.model_platform:
                    context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"Illegal setting neither ... of {entry.name}")
                for label, version in entry.version_labels.items():
                    if self.states.get(entry.name, {}).get(version) != AVAILABLE:
                        context.abort(
                            grpc.StatusCode.FAILED_PRECONDITION,
                            f"Request to assign label {label} to version {version} of model {entry.name}, which is not "
                            "currently available for inference",
                        )
            names = {entry.name for entry in config.model_config_list.config}
            for model in [*self.states]:
                if model not in names:
                    self.states[model] = dict.fromkeys(self.states[model], END)
                    self.labels.pop(model, None)
            for entry in config.model_config_list.config:
                self.labels[entry.name] = labels_of(config, entry.name)
                states, wanted = self.states.setdefault(entry.name, {}), self._wanted(config, entry)
                for version in states.keys() - wanted:
                    states[version] = END
                for version in wanted:
                    if states.get(version) in (None, END):
                        states[version] = START
                        self._looks[entry.name, version] = 0
            self.configs.append(config)
            self.served.append({f"{m}/{label}": v for m, labels in self.labels.items() for label, v in labels.items()})
        return ReloadConfigResponse()

    def GetModelStatus(self, request: Any, context: Any) -> GetModelStatusResponse:
        model = request.model_spec.name
        with self._lock:
            if model not in self.states:
                context.abort(grpc.StatusCode.NOT_FOUND, f"Could not find any versions of model {model}")
            answer = GetModelStatusResponse()
            for version, state in sorted(self.states[model].items()):
                one = answer.model_version_status.add(version=version, state=state)
                if state == END and version in self.broken:
                    one.status.error_code, one.status.error_message = 2, "variables cannot be read"
                if state in (START, LOADING):
                    self._looks[model, version] += 1
                    done = self._looks[model, version] >= _LOOKS and version not in self.slow
                    failed = END if version in self.broken else AVAILABLE
                    self.states[model][version] = failed if done else LOADING
            return answer

    def available(self, model: str) -> set[int]:
        return {version for version, state in self.states[model].items() if state == AVAILABLE}

    def _wanted(self, config: ModelServerConfig, entry: Any) -> set[int]:
        there = {int(path.name) for path in Path(entry.base_path).iterdir() if path.name.isdigit()}
        return loaded_versions(config, entry.name, there)


@contextlib.contextmanager
def running(server: ModelServer, *add: Callable[[grpc.Server], None]) -> Iterator[ModelServer]:
    """Serves on a free port of this machine."""
    grpc_server = grpc.server(ThreadPoolExecutor(max_workers=4))
    add_ModelServiceServicer_to_server(server, grpc_server)
    for one in add:
        one(grpc_server)
    server.address = f"127.0.0.1:{grpc_server.add_insecure_port('127.0.0.1:0')}"
    grpc_server.start()
    try:
        with mock.patch("serving.remote_server._POLL_SECONDS", 0.002):  # it loads at the second look
            yield server
    finally:
        grpc_server.stop(None).wait()
