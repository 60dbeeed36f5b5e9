"""What Kubeflow, Kubernetes and Linux take at once, and whether Kubeflow takes the package at all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from google.protobuf import json_format
from kfp import components
from kfp.pipeline_spec import pipeline_spec_pb2

from configs.settings import Settings
from runners.kubeflow.finding import Finding
from runners.kubeflow.run_parameters import settings_text

MAX_PARAMETER = 10_000
"""Bytes of all parameters that Kubeflow's API server takes with a run (MaxParameterBytes of its source, until 2.15)."""
MAX_ARGUMENT = 131_072
"""Bytes of one argument of a process (MAX_ARG_STRLEN of Linux); a task's input is one."""
MAX_PACKAGE = 1_000_000
"""Bytes of a package; an object of Kubernetes has 1.5 MB, and Kubeflow makes one Argo Workflow of it, adding to it."""


def size_findings(settings: Settings) -> Iterator[Finding]:
    """The parameter settings: as long as Kubeflow and Linux take it."""
    text = settings_text(settings)
    escaped = len(json.dumps(text, ensure_ascii=False).encode())
    if 2 * escaped > MAX_ARGUMENT:
        received = f"{len(text.encode()):,} bytes"
        what = "The settings do not fit into the arguments of a task."
        yield Finding("error", what, "the settings", received, "Shorten them: a query belongs into data.query.file.")
    elif len(text.encode()) > MAX_PARAMETER:
        received = f"{len(text.encode()):,} bytes, at most {MAX_PARAMETER:,}"
        what = "The settings run as compiled, but cannot be given anew when a run is submitted."
        remedy = (
            "Compile them anew instead; or raise MAX_PARAMETER_BYTES of Kubeflow's API server, which newer ones know."
        )
        yield Finding("warning", what, "the settings", received, remedy)


def package_findings(documents: Sequence[dict[str, Any]], text: str) -> list[Finding]:
    """What Kubeflow's own loader, messages and limits say of a compiled package.

    Args:
        documents: of the package.
        text: as it is written.
    """
    found = []
    try:
        json_format.ParseDict(documents[0], pipeline_spec_pb2.PipelineSpec())
        # Which the message above takes as it comes.
        json_format.ParseDict(documents[0]["deploymentSpec"], pipeline_spec_pb2.PipelineDeploymentConfig())
        for document in documents[1:]:
            json_format.ParseDict(document, pipeline_spec_pb2.PlatformSpec())
        components.load_component_from_text(text)
    except (ValueError, TypeError, KeyError, json_format.ParseError) as error:
        remedy = "Report it: the package is what scalable-tf kubeflow compile makes."
        found.append(Finding("error", "Kubeflow's loader refuses the package.", "the package", str(error), remedy))
    if len(text.encode()) > MAX_PACKAGE:
        remedy = "Fewer values in kubeflow.nodes; or a smaller feature table."
        size = f"{len(text.encode()):,} bytes, at most {MAX_PACKAGE:,}"
        found.append(
            Finding("error", "The package does not fit into an object of Kubernetes.", "the package", size, remedy)
        )
    return found
