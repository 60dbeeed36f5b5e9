"""What Vertex AI does not take, and what it would do differently."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from configs.settings import Settings
from runners.kubeflow.bucket_path import MOUNT, is_in_bucket
from runners.kubeflow.checks.image import function_findings, image_findings
from runners.kubeflow.checks.names import pipeline_name_findings, task_findings
from runners.kubeflow.finding import Finding
from runners.kubeflow.used_secrets import used_secrets

_KINDS = ("auto", "inline", "direct")


def vertex_findings(settings: Settings, nodes: Sequence[str]) -> list[Finding]:
    """All findings but those on the compiled package.

    Args:
        settings: of the pipeline.
        nodes: ids of its nodes.
    """
    return [*(finding for check in _CHECKS for finding in check(settings)), *task_findings(settings, nodes)]


def _output_dir(settings: Settings) -> Iterator[Finding]:
    if not is_in_bucket(settings.output_dir):
        what = "output_dir must be in a bucket of Google Cloud Storage: Vertex AI keeps artifacts nowhere else."
        remedy = "output_dir: gs://BUCKET/FOLDER, which the tasks see under /gcs."
        yield Finding("error", what, "output_dir", settings.output_dir, remedy)
        return
    what = "A release is copied into place, not renamed, unless the bucket has a hierarchical namespace."
    remedy = "Make the bucket with one; else let servers take a version only when the task Pusher has ended."
    yield Finding("warning", what, "output_dir", settings.output_dir, remedy)


def _paths(settings: Settings) -> Iterator[Finding]:
    path = settings.data.path
    if path is not None and not path.startswith(("gs://", f"{MOUNT}/", "package:")):
        remedy = "Copy the data to gs://BUCKET/FOLDER; what data.prepare reads, to /gcs/BUCKET/FOLDER."
        yield Finding("error", "The data are where tasks on Vertex AI do not reach them.", "data.path", path, remedy)
    if settings.curated_schema.path is not None:
        what = "The schema's path, and the fingerprints of the code, are those of the machine that compiles."
        remedy = "Compile in the image: docker run IMAGE kubeflow compile ..."
        yield Finding("warning", what, "schema.path", settings.curated_schema.path, remedy)


def _metadata(settings: Settings) -> Iterator[Finding]:
    if settings.metadata.url is not None:
        what = "Vertex AI keeps its own metadata: runs list, lineage and clean know nothing of runs there."
        yield Finding(
            "warning", what, "metadata.url", settings.metadata.url.masked, "Nothing; the setting has no effect."
        )


def _engines(settings: Settings) -> Iterator[Finding]:
    for kind in sorted(settings.engine.kinds):
        if kind not in _KINDS:
            what = "Tasks on Vertex AI run Beam in their own process only."
            yield Finding("error", what, "engine", kind, f"Use one of {', '.join(_KINDS)}; it is direct there.")


def _secrets(settings: Settings) -> Iterator[Finding]:
    for where, name, _ in used_secrets(settings):
        if where.partition(".")[0] not in ("metadata", "kubeflow", "inference"):
            what = "Vertex AI gives tasks no secrets as variables."
            yield Finding("error", what, where, f"${{{name}}}", "Read from gs:// or BigQuery, with the tasks' account.")


def _training(settings: Settings) -> Iterator[Finding]:
    launcher = settings.training.cluster.launcher
    if launcher != "local":
        what = "Tasks on Vertex AI have no Kubernetes, and nobody starts further tasks of a training."
        remedy = "training.cluster.launcher: local, on one large machine; or the target kfp."
        yield Finding("error", what, "training.cluster.launcher", launcher, remedy)


def _spans(settings: Settings) -> Iterator[Finding]:
    asked = {
        "window.spans": settings.window.spans if settings.window.is_used else None,
        "validation.drift": settings.validation.drift,
        "training.warm_start": settings.training.warm_start,
    }
    for where, value in asked.items():
        if value:
            what = "Vertex AI has no resolvers of ours, which find the spans, statistics and models of earlier runs."
            yield Finding("error", what, where, str(value), "Leave it out there, or use the target kfp.")


def _kubernetes(settings: Settings) -> Iterator[Finding]:
    kubeflow = settings.kubeflow
    tasks = {"kubeflow.defaults": kubeflow.defaults} | {
        f"kubeflow.nodes.{key}": one for key, one in kubeflow.nodes.items()
    }
    given = {
        f"kubeflow.{name}": getattr(kubeflow, name)
        for name in ("user", "volumes", "environment_secrets", "webhook", "webhook_secret")
    }
    for where, task in tasks.items():
        given |= {
            f"{where}.{name}": getattr(task, name) for name in ("node_selector", "tolerations", "timeout_seconds")
        }
        if task.resources is not None and task.resources.gpus and "/" in kubeflow.gpu_resource:
            what = "Vertex AI knows GPUs by other names."
            remedy = "kubeflow.gpu_resource: NVIDIA_TESLA_T4, or another of its names."
            yield Finding("error", what, "kubeflow.gpu_resource", kubeflow.gpu_resource, remedy)
    for where, value in given.items():
        if value:
            remedy = "Nothing; the setting has no effect."
            yield Finding("warning", "It is of Kubernetes, and Vertex AI does not have it.", where, "", remedy)


_CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    *(
        image_findings,
        _output_dir,
        _paths,
        _metadata,
        _engines,
        _secrets,
        _training,
        _spans,
        _kubernetes,
        function_findings,
        pipeline_name_findings,
    ),
)
