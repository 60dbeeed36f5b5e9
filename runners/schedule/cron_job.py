"""A Kubernetes CronJob that works a schedule off: a pass at each of its times, never two beside each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from configs.kubeflow import WEBHOOK_VARIABLE
from configs.kubernetes_pods import KubernetesPods
from configs.secret import secret_environment
from configs.settings import Settings
from distribution.kubernetes.pod_template import pod_template
from distribution.kubernetes.workload import Workload
from schemas.errors import SettingsError

_FOLDER = "/run/scalable-tf/settings"
_VOLUME = "settings"
_LONGEST_NAME = 52  # of a CronJob: its Jobs' names are 11 characters longer
_LARGEST = 1 << 20  # of a ConfigMap
_DEADLINE = {"none": 300, "latest": 3600, "all": 3600}
_CLEARING_SECONDS = 40
_CRONSIM_ONLY = re.compile(r"[LW#]|(?<![0-9])7(?=[^ ]*$)", re.IGNORECASE)


def cron_job(settings: Settings, files: Sequence[Path], overrides: Sequence[str]) -> list[dict[str, Any]]:
    """A ConfigMap with the settings' files as they are, and the CronJob.

    Args:
        settings: what the files and overrides say.
        files: as given with -c.
        overrides: as given with --set.

    Raises:
        SettingsError: the settings cannot work there.
    """
    schedule = settings.schedule
    pods = schedule.kubernetes or settings.training.cluster.kubernetes
    _check(settings, pods)
    name = _name(settings)
    texts = {
        f"{place}-{re.sub('[^-._a-zA-Z0-9]', '-', file.name)}": file.read_text() for place, file in enumerate(files)
    }
    if sum(map(len, texts.values())) > _LARGEST:
        raise SettingsError(
            "The settings are too long for a ConfigMap.",
            where="-c",
            fix="Give the files on a volume, and name them there.",
        )
    pinned = [*overrides, f"output_dir={settings.output_dir}"]
    command = ["python", "-m", "runners.cli", "schedule", "run", "--once"]
    command += [word for file in texts for word in ("-c", f"{_FOLDER}/{file}")]
    command += [word for override in pinned for word in ("--set", override)]
    grace = int(settings.training.cluster.grace_seconds) + _CLEARING_SECONDS
    workload = Workload(name, {"chief": 1}, tuple(command), pods, grace_seconds=grace)
    labels = {**pods.labels, "app.kubernetes.io/managed-by": "scalable-tf", "scalable-tf/schedule": name}
    template = pod_template(workload, "chief", {}, container="schedule")
    template["metadata"]["labels"] = labels
    spec = template["spec"]
    if settings.training.cluster.launcher == "kubernetes":  # it starts the Jobs of its trainings
        del spec["automountServiceAccountToken"]
    spec.setdefault("volumes", []).append({"name": _VOLUME, "configMap": {"name": name}})
    mounts = spec["containers"][0].setdefault("volumeMounts", [])
    mounts.append({"name": _VOLUME, "mountPath": _FOLDER, "readOnly": True})
    if (address := settings.kubeflow.webhook_secret) is not None:  # told of runs on Kubeflow that it finds lost
        key = {"name": address.secret, "key": address.key, "optional": True}
        variable = {"name": WEBHOOK_VARIABLE, "valueFrom": {"secretKeyRef": key}}
        spec["containers"][0].setdefault("env", []).append(variable)
    metadata = {"name": name, "labels": labels}
    if pods.namespace is not None:
        metadata["namespace"] = pods.namespace
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": texts},
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": dict(metadata),
            "spec": {
                "schedule": schedule.cron,
                "timeZone": "Etc/UTC" if schedule.time_zone == "UTC" else schedule.time_zone,
                "concurrencyPolicy": "Forbid",
                "startingDeadlineSeconds": _DEADLINE[schedule.catch_up],
                "successfulJobsHistoryLimit": 3,
                "failedJobsHistoryLimit": 5,
                # A pass tries again what failed, by itself; and the next one takes up what was killed.
                "jobTemplate": {"metadata": {"labels": labels}, "spec": {"backoffLimit": 0, "template": template}},
            },
        },
    ]


def _check(settings: Settings, pods: KubernetesPods) -> None:
    schedule, place = settings.schedule, "schedule.kubernetes"
    if schedule.cron is None:
        raise SettingsError(
            "Kubernetes starts passes by time, and no times are given.",
            where="schedule.cron",
            fix="Set it, such as 30 6 * * *. Triggers are looked at in each pass.",
        )
    if _CRONSIM_ONLY.search(schedule.cron):
        raise SettingsError(
            "Kubernetes does not know L, W, # and the weekday 7.",
            where="schedule.cron",
            received=schedule.cron,
            fix="Write 0 for Sunday; days such as the last of a month need `scalable-tf schedule run`.",
        )
    if pods.image is None:
        raise SettingsError(
            "Kubernetes needs the image to run.",
            where=f"{place}.image",
            fix="Name one with this project and your code, that the cluster can pull: see docs/image.md.",
        )
    output_dir = PurePosixPath(settings.output_dir)
    if not any(output_dir.is_relative_to(volume.mount) and not volume.read_only for volume in pods.volumes):
        raise SettingsError(
            "What a pass writes would be lost with its pod.",
            where="output_dir",
            received=settings.output_dir,
            fix=f"Put output_dir on one of the volumes: --set output_dir=/srv/..., with {place}.volumes: "
            "[{claim: NAME, mount: /srv}].",
        )
    if secret_environment(settings):
        raise SettingsError(
            "A password is written out in the settings: everybody who may read ConfigMaps would see it.",
            where="-c",
            fix=f"Write ${{NAME}} instead, and name a Secret that has NAME in {place}.environment_secrets.",
        )


def _name(settings: Settings) -> str:
    name = f"{settings.name.replace('_', '-')}-schedule"
    if len(name) > _LONGEST_NAME:
        raise SettingsError(
            f"The name of a CronJob has at most {_LONGEST_NAME} characters.",
            where="name",
            received=name,
            fix=f"Shorten the pipeline's name by {len(name) - _LONGEST_NAME}.",
        )
    return name
