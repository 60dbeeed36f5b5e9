"""What tasks need beside themselves: the release of Kubeflow, engines, and the pods of a training."""

from __future__ import annotations

from collections.abc import Iterator

from configs.paths import resolve
from configs.settings import Settings
from runners.kubeflow.checks.places import is_below, is_loopback
from runners.kubeflow.finding import Finding

_SERVERS = ("flink", "spark", "prism")


def server_findings(settings: Settings) -> Iterator[Finding]:
    """Kubeflow itself is new enough for what is asked of it."""
    if settings.kubeflow.user is not None:
        # Its driver and its compiler read securityContext since 2.16; before, an unknown field fails each run.
        what = "Kubeflow Pipelines before 2.16 starts no run of a package that names a user."
        remedy = "Leave it out there: the tasks run as the image's user, in a namespace at the level baseline."
        yield Finding("warning", what, "kubeflow.user", str(settings.kubeflow.user), remedy)


def engine_findings(settings: Settings) -> Iterator[Finding]:
    """Engines' job servers are where a pod reaches them."""
    for kind in sorted(settings.engine.kinds):
        server = settings.engine.server_of(kind)
        if server is None:
            continue
        if server.address is None and kind in _SERVERS:
            what = f"Each task would start a job server of {kind}, which the image does not have."
            remedy = f"Give engine.{kind}.address, or build an image with it; docs/engines.md."
            yield Finding("warning", what, f"engine.{kind}.address", "", remedy)
        host = (server.address or "").rpartition(":")[0]
        if host == "localhost" or is_loopback(host):
            what = "The job server is on this machine; in a pod that address is the pod itself."
            remedy = "Give the name of its Service, such as flink.ml:8099."
            yield Finding("error", what, f"engine.{kind}.address", str(server.address), remedy)
        elif server.address is not None and server.workers.kind == "loopback":
            what = "The engine's workers would be in the task's own pod, which the engine does not reach."
            yield Finding(
                "warning",
                what,
                f"engine.{kind}.workers.kind",
                "loopback",
                "pool, process or container; docs/engines.md.",
            )


def training_findings(settings: Settings) -> Iterator[Finding]:
    """The pods of a training are like the Trainer that starts them."""
    cluster = settings.training.cluster
    if cluster.launcher == "env":
        what = "Nobody starts the tasks of the training: Kubeflow starts its Trainer only."
        remedy = "training.cluster.launcher: kubernetes."
        yield Finding("error", what, "training.cluster.launcher", cluster.launcher, remedy)
    if cluster.launcher != "kubernetes":
        return
    pods, where = cluster.kubernetes, "training.cluster.kubernetes"
    if pods.image != settings.kubeflow.image:
        what = "The tasks of the training have another image than the Trainer: other code may train than was checked."
        remedy = f"{where}.image: {settings.kubeflow.image or 'that of kubeflow.image'}."
        yield Finding("warning", what, f"{where}.image", str(pods.image or "none"), remedy)
    needed = cluster.folder or settings.output_dir
    holding = next((volume for volume in settings.kubeflow.volumes if is_below(resolve(needed), volume.mount)), None)
    if holding is not None and not any(
        volume.claim == holding.claim and volume.mount == holding.mount for volume in pods.volumes
    ):
        what = "The tasks of the training do not mount the volume that holds what they share."
        remedy = f"{where}.volumes: [{{mount: {holding.mount}, claim: {holding.claim}}}]."
        yield Finding("warning", what, f"{where}.volumes", needed, remedy)
    if settings.kubeflow.service_account is None:
        what = "The Trainer's pod creates Jobs, which Kubeflow's own service account may not."
        remedy = "kubeflow.service_account, with the Role of: scalable-tf manifests -c FILE --role NAMESPACE:ACCOUNT."
        yield Finding("warning", what, "kubeflow.service_account", "none", remedy)
