"""A disk that is full under one part of a run after the other: what is told, and that a run after it ends well."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SIZE = 16 << 10
# Runs command lines one after the other in one process, each with a small disk under one folder.
SCRIPT = """
import contextlib, io, json, os, subprocess, sys
from runners.cli import main
results = {}
for name, folder, size, argv in json.load(sys.stdin):
    if folder:
        os.makedirs(folder, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(argv)
    finally:
        left = [os.path.join(path, name) for path, _, names in os.walk(folder) for name in names] if folder else []
        if folder:
            subprocess.run(["umount", folder], check=True)
    results[name] = [code, out.getvalue(), err.getvalue(), left]
json.dump(results, open(sys.argv[1], "w"))
"""
SETTINGS = """\
name: trips
output_dir: FOLDER/output
data: {path: FOLDER/data.csv}
features:
  fare: {kind: numeric}
  payment: {kind: categorical}
label: {kind: binary, expression: tips > 2}
training: {epochs: 1, tensorboard: false, backup: false}
model: {hidden_units: [4]}
evaluation: {thresholds: {accuracy: {lower: 0.0}}}
smoke_check: {enabled: false}
"""
# In the order of the chain: what was made before comes from the cache, so that all of these together are one run.
PLACES = {
    "ExampleGen": "artifacts/ExampleGen",
    "Transform": "artifacts/Transform",
    "Trainer": "artifacts/Trainer",
    "Pusher": "releases",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("disk")
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(folder)], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    subprocess.run(["umount", str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def ended(folder: Path) -> dict[str, Any]:
    rows = [
        f"{number}.5,{('cash', 'card')[number % 2]},{number % 7},{os.urandom(1000).hex()}" for number in range(1, 61)
    ]
    (folder / "data.csv").write_text("\n".join(["fare,payment,tips,note", *rows, ""]))
    (folder / "settings.yaml").write_text(SETTINGS.replace("FOLDER", str(folder)))
    run = ["run", "-c", str(folder / "settings.yaml")]
    elsewhere = [
        "--set",
        f"output_dir={folder}/other",
        "--set",
        f"metadata.url=sqlite:///{folder}/store/metadata.sqlite",
    ]
    steps: list[tuple[str, str, int, list[str]]] = [("store", f"{folder}/store", SIZE, [*run, *elsewhere])]
    # A run that fails at once makes the store: artifacts, mounted or not, without a store are refused.
    steps.append(("start", "", 0, [*run, "--set", f"data.path={folder}/nowhere.csv"]))
    steps += [(node, f"{folder}/output/{place}", SIZE, run) for node, place in PLACES.items()]
    steps.append(("last", "", 0, run))
    results = folder / "results.json"
    subprocess.run(
        [sys.executable, "-c", SCRIPT, str(results)], input=json.dumps(steps), text=True, cwd=ROOT, check=True
    )
    found: dict[str, Any] = json.loads(results.read_text())
    return found


@pytest.mark.parametrize("node", PLACES)
def test_the_node_says_that_the_disk_is_full_and_where(ended: dict[str, Any], folder: Path, node: str) -> None:
    code, out, err, _ = ended[node]
    place = folder / "output" / PLACES[node]
    assert code == 1, out + err
    assert f"{node} failed.\nThe disk is full.\n  Where: {place}/" in err
    received = (
        rf"Received: .*; the disk at {place} has 16.0 KiB, \S+ \w+ free after clean-up\n  Fix: Free space there, "
    )
    assert re.search(received, err), err
    assert "Traceback" not in err


@pytest.mark.parametrize("node", PLACES)
def test_nothing_half_written_is_left(ended: dict[str, Any], node: str) -> None:
    assert [path for path in ended[node][3] if not path.endswith("/.lock")] == []


def test_with_space_again_the_run_ends_well(ended: dict[str, Any], folder: Path) -> None:
    code, out, err, _ = ended["last"]
    assert code == 0, out + err
    assert sorted(os.listdir(folder / "output/releases/trips")) == [".lock", "1"]


def test_a_full_disk_under_the_metadata_store(ended: dict[str, Any], folder: Path) -> None:
    code, _, err, _ = ended["store"]
    assert code == 1
    assert f"The disk is full.\n  Where: {folder}/store" in err
