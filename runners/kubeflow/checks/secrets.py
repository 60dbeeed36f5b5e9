"""Secrets come from Kubernetes Secrets, and never into the compiled pipeline."""

from __future__ import annotations

from collections.abc import Iterator

from configs.settings import Settings
from runners.kubeflow.finding import Finding
from runners.kubeflow.used_secrets import used_secrets


def secret_findings(settings: Settings) -> Iterator[Finding]:
    """Every variable of a secret is in a Secret."""
    kubeflow = settings.kubeflow
    plain = {*kubeflow.defaults.environment, *(name for task in kubeflow.nodes.values() for name in task.environment)}
    for where, name, written_out in used_secrets(settings):
        if where.startswith(("inference.", "schedule.")):  # no task uses them
            continue
        if written_out:
            what = "The secret is written out, and the compiled pipeline must not hold it."
            remedy = "Write ${NAME} in its place, and kubeflow.environment_secrets: {NAME: {secret: SECRET, key: KEY}}."
            yield Finding("error", what, where, "", remedy)
        elif name not in kubeflow.environment_secrets:
            remedy = f"kubeflow.environment_secrets: {{{name}: {{secret: SECRET, key: KEY}}}}."
            if name in plain:
                what = "The secret is an ordinary variable, which everybody who sees the pipeline can read."
                yield Finding("warning", what, where, f"${{{name}}}", remedy)
            else:
                what = "No Secret has the variable that the settings need."
                yield Finding("error", what, where, f"${{{name}}}", remedy)
    if kubeflow.webhook is not None and kubeflow.webhook.startswith("http://"):
        what = "The webhook is told without encryption."
        yield Finding("warning", what, "kubeflow.webhook", kubeflow.webhook.masked, "Give an https:// address.")
