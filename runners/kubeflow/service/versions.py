"""Pipelines and their versions on the server: the same content is the same version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from runners.kubeflow.service.refusal import RefusedError

if TYPE_CHECKING:
    from runners.kubeflow.service.api import PipelinesApi
    from runners.kubeflow.specification import Specification

_DIGITS = 16
_LONGEST = 100  # the server takes 127 for a version's name


@dataclass(frozen=True)
class Version:
    """A version of a pipeline on the server.

    Attributes:
        pipeline_id: of the pipeline.
        version_id: of the version.
        pipeline: the pipeline's name.
        name: the version's name.
        uploaded: whether it was uploaded just now.
    """

    pipeline_id: str
    version_id: str
    pipeline: str
    name: str
    uploaded: bool


def version_name(pipeline: str, digest: str) -> str:
    """The name of the version with that content: on some servers versions of all pipelines must have different ones.

    Args:
        pipeline: its name.
        digest: SHA-256 of the compiled file, in hex.
    """
    return f"{pipeline[: _LONGEST - _DIGITS - 8]}-sha256-{digest[:_DIGITS]}"


def ensure_version(api: PipelinesApi, specification: Specification, pipeline: str | None = None) -> Version:
    """The version with this content, uploaded where it is not there yet.

    Args:
        api: the server.
        specification: of the pipeline.
        pipeline: its name on the server; None takes that in the specification.

    Raises:
        RefusedError: the server does not take it.
    """
    name = pipeline or specification.name
    pipeline_id = _pipeline(api, name)
    version = version_name(name, specification.digest)
    if found := _find(api, pipeline_id, version):
        return Version(pipeline_id, found, name, version, uploaded=False)
    try:
        made = api.uploads.upload_pipeline_version(str(specification.file), name=version, pipelineid=pipeline_id)
    except RefusedError as error:
        # Somebody else was first; or the server had made it, and its answer was lost.
        if error.status == 409 and (found := _find(api, pipeline_id, version)):
            return Version(pipeline_id, found, name, version, uploaded=False)
        raise
    return Version(pipeline_id, made.pipeline_version_id, name, version, uploaded=True)


def _find(api: PipelinesApi, pipeline_id: str, name: str) -> str | None:
    call = api.pipelines.list_pipeline_versions
    for version in api.every(call, "pipeline_versions", pipeline_id, filter=api.named(name)):
        if version.display_name == name:
            return str(version.pipeline_version_id)
    return None


def _pipeline(api: PipelinesApi, name: str) -> str:
    import kfp_server_api

    if found := _find_pipeline(api, name):
        return found
    body = kfp_server_api.V2beta1Pipeline(display_name=name, namespace=api.namespace or None)
    try:
        return str(api.pipelines.create_pipeline(body).pipeline_id)
    except RefusedError as error:
        if error.status == 409 and (found := _find_pipeline(api, name)):
            return found
        raise


def _find_pipeline(api: PipelinesApi, name: str) -> str | None:
    options = {"namespace": api.namespace} if api.namespace else {}
    for pipeline in api.every(api.pipelines.list_pipelines, "pipelines", filter=api.named(name), **options):
        if pipeline.display_name == name:
            return str(pipeline.pipeline_id)
    return None
