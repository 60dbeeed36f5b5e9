"""A compiled pipeline: the PipelineSpec of KFP v2 and what Kubernetes is told about its executors."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from google.protobuf import json_format

from schemas.errors import RunError

_FIX = "Compile it with `scalable-tf kubeflow compile -c FILE -o OUT.yaml`."


@dataclass(frozen=True)
class Specification:
    """What is in the file that `kubeflow compile` writes.

    Attributes:
        file: where it is.
        content: the bytes of it.
        pipeline: kfp.pipeline_spec's PipelineSpec.
        kubernetes: by executor label, the KubernetesExecutorConfig as JSON; kept as it is, as kfp's releases differ in
            what their protos know of it.
    """

    file: Path
    content: bytes
    pipeline: Any
    kubernetes: Mapping[str, Mapping[str, Any]]

    @property
    def name(self) -> str:
        """Of the pipeline."""
        return str(self.pipeline.pipeline_info.name)

    @property
    def digest(self) -> str:
        """SHA-256 of the file, in hex."""
        return hashlib.sha256(self.content).hexdigest()


def read_specification(file: Path) -> Specification:
    """Reads the file.

    Raises:
        RunError: it is missing, or no such specification.
    """
    from kfp.pipeline_spec import pipeline_spec_pb2

    try:
        content = file.read_bytes()
    except OSError as error:
        raise RunError(
            "The compiled pipeline cannot be read.", where=str(file), received=error.strerror, fix=_FIX
        ) from error
    try:
        documents = [document for document in yaml.safe_load_all(content) if document is not None]
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RunError("The compiled pipeline is no YAML.", where=str(file), received=error, fix=_FIX) from error
    if not documents or not isinstance(documents[0], dict) or "deploymentSpec" not in documents[0]:
        found = list(documents[0])[:5] if documents and isinstance(documents[0], dict) else "no mapping"
        raise RunError("The file holds no PipelineSpec of KFP v2.", where=str(file), received=found, fix=_FIX)
    try:
        pipeline = json_format.ParseDict(documents[0], pipeline_spec_pb2.PipelineSpec())
    except json_format.ParseError as error:
        fix = f"{_FIX} A newer kfp may have made it: pip install --upgrade kfp."
        raise RunError("The PipelineSpec is not valid.", where=str(file), received=error, fix=fix) from error
    return Specification(file, content, pipeline, _kubernetes(file, documents[1:]))


def _kubernetes(file: Path, documents: list[Any]) -> Mapping[str, Mapping[str, Any]]:
    if not documents:
        return {}
    try:
        executors = documents[0]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
        return {str(label): dict(executor) for label, executor in executors.items()}
    except (KeyError, TypeError, AttributeError) as error:
        what = "The second document is no platform specification for Kubernetes."
        raise RunError(what, where=str(file), received=error, fix=_FIX) from error
