"""All checks for open-source Kubeflow Pipelines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from configs.settings import Settings
from runners.kubeflow.checks.image import function_findings, image_findings
from runners.kubeflow.checks.names import name_findings, pipeline_name_findings, task_findings
from runners.kubeflow.checks.places import output_findings, path_findings, store_findings
from runners.kubeflow.checks.root import root_findings
from runners.kubeflow.checks.secrets import secret_findings
from runners.kubeflow.checks.services import engine_findings, server_findings, training_findings
from runners.kubeflow.checks.sizes import size_findings
from runners.kubeflow.checks.spans import span_findings
from runners.kubeflow.finding import Finding

_CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    *(image_findings, output_findings, store_findings, secret_findings, path_findings, function_findings),
    *(engine_findings, training_findings, pipeline_name_findings, name_findings, size_findings, span_findings),
    *(root_findings, server_findings),
)


def kfp_findings(settings: Settings, nodes: Sequence[str]) -> list[Finding]:
    """All findings but those on the compiled package.

    Args:
        settings: of the pipeline.
        nodes: ids of its nodes.
    """
    return [*(finding for check in _CHECKS for finding in check(settings)), *task_findings(settings, nodes)]
