from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from configs.load import load_settings
from runners.schedule.cron_job import cron_job
from schemas.errors import SettingsError

SETTINGS = """\
name: trips_daily
output_dir: /srv/trips
data: {path: "/srv/data/{YYYY}-{MM}-{DD}.csv"}
features:
  fare: {kind: numeric}
label: {kind: binary, expression: tips > 1}
evaluation: {thresholds: {auc: {lower: 0.5}}}
metadata: {url: "mysql://ml:${DB_PASSWORD}@db/ml"}
schedule:
  cron: 30 6 * * *
  time_zone: Europe/Berlin
  kubernetes:
    image: registry.example/trips:1.0
    namespace: pipelines
    environment_secrets: [store]
    resources: {chief: {cpu: "2", memory: 8Gi}}
    volumes: [{claim: pipelines, mount: /srv}]
"""
OLDEST, NEWEST = 29, int(kubernetes_validate.latest_version().split(".")[1])


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    def make(*overrides: str) -> list[dict[str, Any]]:
        file = tmp_path / "my settings.yaml"
        file.write_text(SETTINGS)
        return cron_job(load_settings([file], overrides, {}), [file], overrides)

    return make


def test_a_pass_at_each_time_and_never_two_beside_each_other(made: Callable[..., list[dict[str, Any]]]) -> None:
    settings, job = made("push.keep=3")
    assert settings["data"] == {"0-my-settings.yaml": SETTINGS}
    assert job["metadata"] == {
        "name": "trips-daily-schedule",
        "namespace": "pipelines",
        "labels": {"app.kubernetes.io/managed-by": "scalable-tf", "scalable-tf/schedule": "trips-daily-schedule"},
    }
    spec = job["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == ("30 6 * * *", "Europe/Berlin", "Forbid")
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["command"] == [
        *("python", "-m", "runners.cli", "schedule", "run", "--once"),
        *("-c", "/run/scalable-tf/settings/0-my-settings.yaml"),
        *("--set", "push.keep=3", "--set", "output_dir=/srv/trips"),
    ]
    assert container["envFrom"] == [{"secretRef": {"name": "store"}}]
    assert container["volumeMounts"] == [
        {"name": "volume-0", "mountPath": "/srv"},
        {"name": "settings", "mountPath": "/run/scalable-tf/settings", "readOnly": True},
    ]
    assert pod["automountServiceAccountToken"] is False


@pytest.mark.parametrize("minor", range(OLDEST, NEWEST + 1))
def test_is_what_kubernetes_specifies(minor: int, made: Callable[..., list[dict[str, Any]]]) -> None:
    for document in made():
        kubernetes_validate.validate(document, f"1.{minor}", strict=True)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("schedule.cron=null", "no times are given"),
        ("schedule.cron=0 0 L * *", "does not know L"),
        ("schedule.cron=0 0 * * 7", "Write 0 for Sunday"),
        ("schedule.kubernetes.image=null", "needs the image"),
        ("output_dir=/tmp/trips", "lost with its pod"),
        ("metadata.url=mysql://ml:hunter2@db/ml", "A password is written out"),
        (f"name={'a' * 44}", "Shorten the pipeline's name by 1"),
    ],
)
def test_what_cannot_work_there_is_refused(
    override: str, message: str, made: Callable[..., list[dict[str, Any]]]
) -> None:
    with pytest.raises(SettingsError, match=message):
        made(override)


def test_it_has_the_webhook_that_lost_runs_on_kubeflow_are_told_to(made: Callable[..., list[dict[str, Any]]]) -> None:
    _, job = made("kubeflow.webhook_secret={secret: chat, key: address}")
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    key = {"name": "chat", "key": "address", "optional": True}
    assert {"name": "SCALABLE_TF_WEBHOOK", "valueFrom": {"secretKeyRef": key}} in container["env"]
    assert kubernetes_validate.validate(job, f"1.{NEWEST}", strict=True) == f"1.{NEWEST}"


def test_a_seven_among_the_minutes_is_no_weekday(made: Callable[..., list[dict[str, Any]]]) -> None:
    assert made("schedule.cron=7 17 * * 1-5")[1]["spec"]["schedule"] == "7 17 * * 1-5"
