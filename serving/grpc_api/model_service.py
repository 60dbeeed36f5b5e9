"""tensorflow.serving.ModelService: which models and versions there are, and which should be."""

from __future__ import annotations

import logging

import grpc
from tensorflow_serving.apis import get_model_status_pb2, model_management_pb2

from schemas.errors import SettingsError
from serving.grpc_api.answering import Answering, Method
from serving.grpc_api.asked_version import asked_version
from serving.server.manager import ModelManager
from serving.server.model_config import from_proto
from serving.server.request_error import invalid

_LOG = logging.getLogger(__name__)
_CODES = {code.name: code.value[0] for code in grpc.StatusCode}


def model_service(manager: ModelManager, answering: Answering) -> grpc.GenericRpcHandler:
    """The service.

    Args:
        manager: the models.
        answering: answers the calls.
    """
    service = _ModelService(manager)
    return answering.service(
        "tensorflow.serving.ModelService",
        Method(
            "GetModelStatus",
            get_model_status_pb2.GetModelStatusRequest,
            lambda request: str(request.model_spec.name),
            service.status,
        ),
        Method("HandleReloadConfigRequest", model_management_pb2.ReloadConfigRequest, lambda _: "", service.reload),
    )


class _ModelService:
    def __init__(self, manager: ModelManager) -> None:
        self._manager = manager

    def status(
        self, request: get_model_status_pb2.GetModelStatusRequest, deadline: float | None
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """The states of a model's versions, or of one."""
        if not request.HasField("model_spec"):
            raise invalid("Missing ModelSpec")
        states = self._manager.states(*asked_version(request.model_spec))
        response = get_model_status_pb2.GetModelStatusResponse()
        for state in states:
            one = response.model_version_status.add(version=state.version, state=state.state)
            # Set also where it is 0 and empty: clients ask whether there is a status.
            one.status.error_code = _CODES[state.error_code]
            one.status.error_message = state.error_message
        return response

    def reload(
        self, request: model_management_pb2.ReloadConfigRequest, deadline: float | None
    ) -> model_management_pb2.ReloadConfigResponse:
        """Serves exactly the models of a config, from when this returns."""
        if request.config.WhichOneof("config") != "model_config_list":
            raise invalid(
                "ServerModelConfig type not supported by HandleReloadConfigRequest. "
                "Only ModelConfigList is currently supported"
            )
        try:
            models = from_proto(request.config, strict=True, served=self._manager.names())
        except SettingsError as error:
            raise invalid(f"{error.what} {error.fix}") from error
        self._manager.reload(models)
        _LOG.info("Now served: %s.", ", ".join(model.name for model in models) or "no model")
        response = model_management_pb2.ReloadConfigResponse()
        response.status.error_code = 0
        # By how much metrics grew meanwhile. Those that grow with a load are the runtime's, which we do not have;
        # of a metric that it does not have TensorFlow Serving says 0.
        for name in request.metric_names:
            response.metric.add(name=name, int64_value_increase=0)
        return response
