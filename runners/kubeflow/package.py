"""The package that is submitted, and what is found about it on the way."""

from __future__ import annotations

from typing import Literal

from configs.settings import Settings
from pipeline.nodes import OF_TRAINING
from runners.compiled import compile_pipeline
from runners.kubeflow.checks.kfp import kfp_findings
from runners.kubeflow.checks.sizes import package_findings
from runners.kubeflow.checks.vertex import vertex_findings
from runners.kubeflow.compiled_in import graph
from runners.kubeflow.finding import Finding
from runners.kubeflow.kfp_pipeline import kfp_documents
from runners.kubeflow.package_text import package_text
from runners.kubeflow.vertex_pipeline import vertex_document

Target = Literal["kfp", "vertex"]


def checked_package(settings: Settings, target: Target) -> tuple[list[Finding], str]:
    """Checks settings and compiles them; of those in which there is an error nothing is made.

    Args:
        settings: of the pipeline.
        target: who runs it.

    Returns:
        The findings, errors first, and the text of the package, empty where there is an error.

    Raises:
        ScalableTFError: no pipeline can be made of the settings, wherever it would run.
    """
    upstream = _graph(settings) if target == "kfp" else {}
    findings = kfp_findings(settings, list(upstream)) if target == "kfp" else vertex_findings(settings, OF_TRAINING)
    text = ""
    if not _has_errors(findings):
        documents = kfp_documents(settings, upstream) if target == "kfp" else [vertex_document(settings)]
        text = package_text(documents, f"Pipeline {settings.name} for {target}, by scalable-tf kubeflow compile")
        findings += package_findings(documents, text)
    return sorted(findings, key=lambda finding: finding.severity != "error"), "" if _has_errors(findings) else text


def _graph(settings: Settings) -> dict[str, list[str]]:
    """The nodes that each node needs, in order; what output_dir is, even an address, makes no difference."""
    return graph(compile_pipeline(settings.model_copy(update={"output_dir": "/"})))


def _has_errors(findings: list[Finding]) -> bool:
    return any(finding.severity == "error" for finding in findings)
