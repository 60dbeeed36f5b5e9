"""The CronJob of a schedule, started by the control plane's own controller."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from benchmarks.trip_days import SETTINGS, Days
from distribution.kubernetes.api_server import ApiServer
from distribution.kubernetes.pod_state import failure_of, is_complete
from tests.integration.cluster.kubernetes_cluster import IMAGE, ROOT
from tests.integration.kubernetes.launching import wait_for

pytestmark = pytest.mark.slow

JOBS = "/apis/batch/v1/namespaces/default"
_KUBERNETES = """\
  kubernetes:
    image: IMAGE
    volumes: [{host_path: FOLDER, mount: FOLDER}]
    environment: {PYTHONPATH: ROOT}
"""


def test_a_pass_is_made_by_a_pod_when_it_is_time(tmp_path: Path, api: ApiServer) -> None:
    days = Days(tmp_path, date(2026, 3, 1), 1, {})
    settings = SETTINGS.replace("cron: 30 6 * * *", 'cron: "* * * * *"').replace("max_gaps: 2", "minimum: 2")
    days.prepare(settings + _KUBERNETES.replace("IMAGE", IMAGE).replace("ROOT", str(ROOT)))
    days.deliver(0)
    printed = scalable_tf("cronjob", days)
    cron_job: dict[str, Any] = {}
    for document in yaml.safe_load_all(printed):
        place = JOBS if document["kind"] == "CronJob" else "/api/v1/namespaces/default"
        made = api.json("POST", f"{place}/{document['kind'].lower()}s", body=document)
        cron_job = made if document["kind"] == "CronJob" else cron_job

    def ended() -> list[dict[str, Any]]:
        jobs = api.json("GET", f"{JOBS}/jobs", query={"labelSelector": "scalable-tf/schedule=trips-schedule"})["items"]
        owned = [job for job in jobs if job["metadata"]["ownerReferences"][0]["uid"] == cron_job["metadata"]["uid"]]
        return [job for job in owned if is_complete(job) or failure_of(job)]

    try:
        first = wait_for(ended, 240)[0]
    finally:
        api.json("DELETE", f"{JOBS}/cronjobs/trips-schedule")
    assert is_complete(first), failure_of(first)
    (span,) = (one for one in json.loads(scalable_tf("status", days, "--json"))["spans"] if one["span"] == 20513)
    assert (span["state"], span["trigger"], span["attempt"]) == ("ingested", "cron", 1)


def scalable_tf(action: str, days: Days, *words: str) -> str:
    command = [sys.executable, "-m", "runners.cli", "schedule", action, "-c", str(days.settings), *words]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
