"""Names as Kubeflow and Kubernetes take them (RFC 1123, labels)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from configs.kubeflow import BEGIN, END
from configs.settings import Settings
from runners.kubeflow.finding import Finding
from runners.kubeflow.task_names import pipeline_name, task_name

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_KEY = re.compile(r"(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")


def task_findings(settings: Settings, nodes: Sequence[str]) -> Iterator[Finding]:
    """Nodes that kubeflow.nodes names are there, and no two are one task."""
    known = (BEGIN, END, *nodes)
    for name in settings.kubeflow.nodes:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            remedy = f"{f'Is it {near[0]}? ' if near else ''}Nodes: {', '.join(known)}."
            what = "kubeflow.nodes names a node that the pipeline does not have."
            yield Finding("error", what, f"kubeflow.nodes.{name}", name, remedy)
    names = [task_name(node) for node in known]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            alike = ", ".join(node for node in known if task_name(node) == name)
            what = "Two nodes would be the same task."
            yield Finding(
                "error", what, "the pipeline", alike, "Give the nodes ids that differ in more than their case."
            )


def pipeline_name_findings(settings: Settings) -> Iterator[Finding]:
    """The pipeline's name stays as it is."""
    if not _LABEL.fullmatch(settings.name):
        called = pipeline_name(settings.name)
        what = f"Kubeflow will call the pipeline {called}, as one of that name would be called."
        yield Finding("warning", what, "name", settings.name, "Use lower-case letters, digits and single hyphens only.")


def name_findings(settings: Settings) -> Iterator[Finding]:
    """Names that Kubernetes takes."""
    kubeflow = settings.kubeflow
    for place, volume in enumerate(kubeflow.volumes):
        if not _LABEL.fullmatch(volume.claim or ""):
            what = "Kubeflow names the volume after its claim, and this is no name of a volume."
            remedy = "Name the claim with at most 63 lower-case letters, digits and hyphens (RFC 1123)."
            yield Finding("error", what, f"kubeflow.volumes.{place}.claim", str(volume.claim), remedy)
    if not _KEY.fullmatch(kubeflow.gpu_resource):
        remedy = "Such as nvidia.com/gpu."
        yield Finding("error", "This is no resource's name.", "kubeflow.gpu_resource", kubeflow.gpu_resource, remedy)
    tasks = {"kubeflow.defaults": kubeflow.defaults} | {
        f"kubeflow.nodes.{key}": one for key, one in kubeflow.nodes.items()
    }
    for where, task in tasks.items():
        for key, value in (task.node_selector or {}).items():
            if not (_KEY.fullmatch(key) and _VALUE.fullmatch(value)):
                remedy = "Give a label as kubectl get nodes --show-labels lists it."
                yield Finding(
                    "error", "This is no label of a node.", f"{where}.node_selector", f"{key}: {value}", remedy
                )
