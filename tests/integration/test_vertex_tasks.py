"""The tasks of a package for Vertex AI, run here: a folder stands for the mounted buckets, this test for Vertex."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from configs.load import load_settings
from runners.kubeflow.package import checked_package
from tests.integration.command_server import ROOT

pytestmark = pytest.mark.slow

SETTINGS = """\
name: tiny
output_dir: gs://bucket/tiny
data: {path: /gcs/bucket/data/*.csv}
features:
  fare: {kind: numeric}
  miles: {kind: numeric}
label: {kind: binary, expression: tips > 1}
model: {hidden_units: [4]}
training: {epochs: 1, batch_size: 32}
evaluation: {thresholds: {auc: {lower: 0.0}}}
kubeflow: {image: 'registry.example.com/ml/scalable-tf:1.0'}
"""
ROWS = "fare,miles,tips\n" + "".join(f"{n},{n}.5,{n % 3}\n" for n in range(1, 301))
# Fills in what Vertex would, from the package alone.
VERTEX = """
import json, sys
from pathlib import Path
import yaml
from runners.kubeflow.vertex_task import run_vertex_task

document = next(yaml.safe_load_all(Path(sys.argv[1]).read_text()))
mount = sys.argv[2]
tasks = document["root"]["dag"]["tasks"]
made, done = {}, []
while len(done) < len(tasks):
    for name, task in tasks.items():
        if name in done or not set(task.get("dependentTasks", ())) <= set(done):
            continue
        done.append(name)
        container = document["deploymentSpec"]["executors"][f"{name}_executor"].get("container")
        if container is None:
            continue  # a resolver, which finds nothing in the first run
        inputs = {}
        for key, source in task.get("inputs", {}).get("artifacts", {}).items():
            producer = source["taskOutputArtifact"]
            if found := made.get(producer["producerTask"], {}).get(producer["outputArtifactKey"]):
                inputs[key] = {"artifacts": [found]}
        given = task.get("inputs", {}).get("parameters", {})
        constants = {key: value["runtimeValue"]["constant"] for key, value in given.items()}
        # Pusher's folder is one of the mount.
        parameters = {
            key: value.replace("/gcs/", f"{mount}/") if key == "releases_dir" else value
            for key, value in constants.items()
        }
        outputs = {
            key: {"artifacts": [{"name": key, "uri": f"gs://bucket/root/{name}/{key}", "type": one["artifactType"]}]}
            for key, one in document["components"][name]["outputDefinitions"]["artifacts"].items()
        }
        file = f"gs://bucket/root/{name}/executor_output.json"
        order = {
            "inputs": {"artifacts": inputs, "parameterValues": parameters},
            "outputs": {"artifacts": outputs, "outputFile": file},
        }
        words = [word.replace("{{$}}", json.dumps(order)) for word in container["args"]]
        options = dict(zip(words[:6:2], words[1:6:2]))
        run_vertex_task(
            options["--executor_class_path"],
            options["--json_serialized_invocation_args"],
            options["--json_serialized_inputs_spec_args"],
            words[6:],
            mount,
        )
        answer = json.loads(Path(file.replace("gs:/", mount, 1)).read_text())
        made[name] = {
            key: {**outputs[key]["artifacts"][0], **given["artifacts"][0]} for key, given in answer["artifacts"].items()
        }
json.dump(made, open(sys.argv[3], "w"))
"""


def test_a_run_of_every_task(tmp_path: Path) -> None:
    mount = tmp_path / "gcs"
    (mount / "bucket/data").mkdir(parents=True)
    (mount / "bucket/data/rows.csv").write_text(ROWS)
    file = tmp_path / "tiny.yaml"
    file.write_text(SETTINGS)
    findings, text = checked_package(load_settings([file], (), {}), "vertex")
    assert [finding for finding in findings if finding.severity == "error"] == []
    package = tmp_path / "package.yaml"
    package.write_text(text.replace("/gcs/bucket/data", f"{mount}/bucket/data"))
    made = tmp_path / "made.json"
    environment = {"TF_USE_LEGACY_KERAS": "1", "TMPDIR": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-c", VERTEX, str(package), str(mount), str(made)],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr[-3000:]

    artifacts = json.loads(made.read_text())
    assert {artifact["uri"][:17] for outputs in artifacts.values() for artifact in outputs.values()} == {
        "gs://bucket/root/"
    }
    assert artifacts["Evaluator"]["blessing"]["metadata"]["blessed"] == 1
    assert artifacts["Pusher"]["pushed_model"]["metadata"]["pushed"] == 1
    assert (mount / "bucket/tiny/releases/tiny/1/saved_model.pb").exists()
    assert not Path("/gcs").exists()
