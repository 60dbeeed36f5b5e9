"""The embedded model server: models, and the protocols that ask them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from schemas.errors import RunError
from serving.grpc_api.server import GrpcServer
from serving.rest.limits import RestLimits
from serving.rest.server import RestServer
from serving.server.batching import BatchingOptions
from serving.server.manager import ModelManager
from serving.server.metrics import Metrics
from serving.server.model_config import ModelConfig
from serving.server.model_folder import look_at_all, model_folder
from serving.server.server_tls import ServerTls

_END_SECONDS = 5.0  # of a server that nobody has asked anything


@dataclass(frozen=True)
class ServerOptions:
    """How models are served.

    Attributes:
        models: the models.
        host: address to listen on; default: this machine only.
        grpc_port: 0 picks one.
        rest_port: 0 picks one.
        rest_limits: of memory, time and connections.
        cors: whether pages of other origins may read what REST answers.
        poll_seconds: how often the folders are looked at for versions; 0 for only once.
        batching: how requests are combined; default: not at all.
        first_load_seconds: how long the first answers wait for the models; after that the server answers without those
            that are still being loaded, and says that it is not ready.
        tls: of both protocols; default: plain text.
        rest_tls: whether REST has it, too.
    """

    models: tuple[ModelConfig, ...]
    host: str = "127.0.0.1"
    grpc_port: int = 8500
    rest_port: int = 8501
    rest_limits: RestLimits = field(default_factory=RestLimits)
    cors: bool = False
    poll_seconds: float = 1.0
    batching: BatchingOptions | None = None
    first_load_seconds: float = 60.0
    tls: ServerTls | None = None
    rest_tls: bool = True


class ModelServer:
    """Serves models with TensorFlow Serving's protocols.

    Args:
        options: what and where.

    Attributes:
        manager: the models.
        grpc_port: on which gRPC is answered.
        rest_port: on which REST is answered.

    Raises:
        ReleaseError: the folder of a model is not there, or its store does not let it be listed.
        SetupError: the client of that store is not installed.
        RunError: a port is taken.
    """

    def __init__(self, options: ServerOptions) -> None:
        folders = [model_folder(model) for model in options.models]
        look_at_all(folders)
        for folder in folders:
            if (trouble := folder.trouble()) is not None:
                raise trouble
        self._first_load_seconds = options.first_load_seconds
        self.manager = ModelManager(options.models, options.poll_seconds, options.batching)
        metrics = Metrics(self.manager.names)
        # They take their ports at once, so that a taken one is told before models are loaded; they answer from `start`.
        tls = options.tls
        credentials = tls.grpc_credentials() if tls else None
        grpc = GrpcServer(self.manager, metrics, options.host, options.grpc_port, credentials)
        self.grpc_port = grpc.port
        try:
            rest = RestServer(
                self.manager,
                metrics,
                options.host,
                options.rest_port,
                options.rest_limits,
                cors=options.cors,
                tls=tls.http_context() if tls and options.rest_tls else None,
            )
        except RunError:
            grpc.stop(0.0).wait(_END_SECONDS)  # or it would still be ending when the interpreter does
            raise
        self.rest_port = rest.port
        self._fronts = (grpc, rest)

    def start(self, give_up: Callable[[], bool] = lambda: False) -> None:
        """Loads the models and begins to answer: who connects before that waits.

        Args:
            give_up: whether there is no need any more to wait for the models.
        """
        self.manager.start()
        until = time.monotonic() + self._first_load_seconds
        while not self.manager.wait_until_loaded(0.1) and time.monotonic() < until and not give_up():
            pass
        for front in self._fronts:
            front.start()

    def stop(self, grace: float) -> bool:
        """Takes no further requests, lets those that are running end, and unloads the models.

        Args:
            grace: seconds for the running requests; then they are cancelled.

        Returns:
            Whether everything has ended; else threads are left that nothing can stop.
        """
        until = time.monotonic() + grace
        for ended in [front.stop(grace) for front in self._fronts]:
            ended.wait(max(until - time.monotonic(), 0.0) + 1.0)
        return self.manager.close()
