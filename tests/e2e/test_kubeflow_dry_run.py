"""A whole pipeline as Kubeflow would get it, executed on this machine: the same model as a local run gives."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.digests import digests
from tests.integration.servers.installed import find
from tests.integration.trips import write_trips

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
ROOT = Path(__file__).parents[2]
_KUBEFLOW = """\
output_dir: /mnt/pipeline/trips
data: {path: '/mnt/data/spans/{SPAN}.csv'}
metadata: {url: "mysql://ml:${METADATA_PASSWORD}@mysql.kubeflow/metadata"}
kubeflow:
  image: registry.example.com/scalable-tensorflow@sha256:DIGEST
  volumes: [{claim: pipeline, mount: /mnt/pipeline}, {claim: data, mount: /mnt/data}]
  environment_secrets: {METADATA_PASSWORD: {secret: metadata, key: password}}
"""


def scalable_tf(*words: str | Path) -> str:
    command = [sys.executable, "-m", "runners.cli", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_dry_run_of_the_compiled_pipeline_gives_what_a_local_run_gives(tmp_path: Path) -> None:
    find("postgres", packages="postgresql")
    settings = write_trips(tmp_path)
    (tmp_path / "spans").mkdir()
    shutil.copy(tmp_path / "data.csv", tmp_path / "spans/3.csv")
    overlay = tmp_path / "kubeflow.yaml"
    overlay.write_text(_KUBEFLOW.replace("DIGEST", "0" * 64))
    compiled = tmp_path / "pipeline.yaml"
    scalable_tf("kubeflow", "compile", "-c", settings, "-c", overlay, "-o", compiled)
    root = tmp_path / "root"

    shown = scalable_tf(
        "kubeflow",
        "dry-run",
        compiled,
        "--root",
        root,
        "--volume",
        f"data={tmp_path}",
        "--database",
        "postgresql",
        "--json",
    )
    scalable_tf("run", "-c", settings)

    result = json.loads(shown)
    assert {(task["state"], task["exit_code"]) for task in result["tasks"]} == {("succeeded", 0)}
    names = [task["name"] for task in result["tasks"]]
    assert (names[0], names[-1]) == ("begin", "end")
    there = root / "claims" / "pipeline" / "trips"
    assert digests(there / "artifacts") == digests(tmp_path / "output" / "artifacts")
    # Nobody has named a span: begin asked the plan.
    (release,) = there.glob("releases/*/*/release.json")
    assert json.loads(release.read_text())["spans"] == [3]
