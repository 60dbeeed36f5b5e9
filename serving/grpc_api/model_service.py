"""tensorflow.serving.ModelService: which models and versions there are, and which should be."""

from __future__ import annotations

import logging

import grpc
from tensorflow_serving.apis import get_model_status_pb2, model_management_pb2, model_service_pb2_grpc

from schemas.errors import SettingsError
from serving.grpc_api.answering import Answering
from serving.grpc_api.asked_version import asked_version
from serving.grpc_api.call_count import CallCount
from serving.server.manager import ModelManager
from serving.server.metrics import Metrics
from serving.server.model_config import from_proto
from serving.server.request_error import invalid

_LOG = logging.getLogger(__name__)
_CODES = {code.name: code.value[0] for code in grpc.StatusCode}


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """The service.

    Args:
        manager: the models.
        metrics: where calls are counted.
        calls: those that are being answered.
    """

    def __init__(self, manager: ModelManager, metrics: Metrics, calls: CallCount) -> None:
        self._manager = manager
        self._answer = Answering(metrics, calls)

    def GetModelStatus(  # noqa: N802
        self, request: get_model_status_pb2.GetModelStatusRequest, context: grpc.ServicerContext
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """The states of a model's versions, or of one."""

        def work(deadline: float | None) -> get_model_status_pb2.GetModelStatusResponse:
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

        return self._answer("GetModelStatus", request.model_spec.name, context, work)

    def HandleReloadConfigRequest(  # noqa: N802
        self, request: model_management_pb2.ReloadConfigRequest, context: grpc.ServicerContext
    ) -> model_management_pb2.ReloadConfigResponse:
        """Serves exactly the models of a config, from when this returns."""

        def work(deadline: float | None) -> model_management_pb2.ReloadConfigResponse:
            if request.config.WhichOneof("config") != "model_config_list":
                raise invalid(
                    "ServerModelConfig type not supported by HandleReloadConfigRequest. "
                    "Only ModelConfigList is currently supported"
                )
            try:
                models = from_proto(request.config, strict=True)
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

        return self._answer("HandleReloadConfigRequest", "", context, work)
