"""What is asked of the labels of `taxi`, four versions of which are released, and what came of it."""

from __future__ import annotations

from dataclasses import replace

from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from serving.change_request import ChangeRequest
from serving.labels import Labels
from serving.served_models import ServedModels
from tests.unit.serving.model_server import ModelServer

BY = ChangeRequest(who="ann", host="vm", why="weekly", load_seconds=20.0)
REFUSED = 4
"""The one version that is not blessed."""


def config(labels: Labels) -> ModelServerConfig:
    return ServedModels(labels.store.directory.parent).config()


def versions(labels: Labels) -> list[int]:
    (entry,) = config(labels).model_config_list.config
    return list(entry.model_version_policy.specific.versions)


def told(server: ModelServer) -> ChangeRequest:
    return replace(BY, servers=(server.address,))
