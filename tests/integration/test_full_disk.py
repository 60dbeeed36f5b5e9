"""A disk that fills up under each part of a run: what the user is told, and that a run with space again ends well."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SIZE = 48 << 20
# Runs command lines one after the other in one process; before each, a file leaves just so many bytes of the disk free.
SCRIPT = """
import contextlib, io, json, os, sys
from runners.cli import main
disk, steps = json.load(sys.stdin)
results = {}
for name, free, argv in steps:
    ballast = os.path.join(disk, "ballast")
    if os.path.exists(ballast):
        os.unlink(ballast)
    if free is not None:
        there = os.statvfs(disk)
        with open(ballast, "wb") as file:
            file.write(bytes(there.f_bavail * there.f_frsize - free))
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(argv)
    results[name] = [code, out.getvalue(), err.getvalue()]
json.dump(results, open(sys.argv[1], "w"))
"""
SETTINGS = """\
name: trips
output_dir: DISK/output
data: {path: FOLDER/data.csv}
features:
  fare: {kind: numeric}
  payment: {kind: categorical}
label: {kind: binary, expression: tips > 2}
training: {epochs: 1, tensorboard: false, backup: false}
model: {hidden_units: [4]}
runner: {parallel_nodes: 1}
evaluation: {thresholds: {accuracy: {lower: 0.0}}}
"""
ENOUGH_FOR_THE_STORE = 160 << 10
# Last first, so that what comes before is in the cache; the run at the end has all of these settings and all nodes to do.
NODES = {
    "Pusher": "push.model=other",
    "Trainer": "training.seed=7",
    "Transform": "features.fare.scale=min_max",
    "ExampleGen": "data.path=FOLDER/large.csv",
}


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("disk")
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small disk to fill")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture(scope="module")
def ended(disk: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("data")
    rows = [f"{number}.5,{('cash', 'card')[number % 2]},{number % 7}" for number in range(1, 61)]
    (folder / "data.csv").write_text("\n".join(["fare,payment,tips", *rows, ""]))
    wide = [f"{row},{os.urandom(30_000).hex()}" for row in rows]
    (folder / "large.csv").write_text("\n".join(["fare,payment,tips,note", *wide, ""]))
    (folder / "settings.yaml").write_text(SETTINGS.replace("DISK", str(disk)).replace("FOLDER", str(folder)))
    run = ["run", "-c", str(folder / "settings.yaml")]
    steps: list[tuple[str, int | None, list[str]]] = [("store", 40 << 10, run), ("first", None, run)]
    options: list[str] = []
    for node, option in NODES.items():
        options += ["--set", option.replace("FOLDER", str(folder))]
        steps.append((node, ENOUGH_FOR_THE_STORE, [*run, *options[-2:]]))
    steps.append(("last", None, [*run, *options]))
    results = folder / "results.json"
    subprocess.run(
        [sys.executable, "-c", SCRIPT, str(results)],
        input=json.dumps([str(disk), steps]),
        text=True,
        cwd=ROOT,
        check=True,
    )
    found: dict[str, Any] = json.loads(results.read_text())
    return found


@pytest.mark.parametrize("node", NODES)
def test_the_node_says_that_the_disk_is_full_and_where(ended: dict[str, Any], disk: Path, node: str) -> None:
    code, out, err = ended[node]
    assert code == 1, out + err
    assert f"{node} failed.\nThe disk is full.\n  Where: {disk}/" in err
    assert re.search(rf"Received: .*; \S+ \w+ of 48.0 MiB are free on {disk}\n  Fix: Free space there, ", err)
    assert "Traceback" not in err


@pytest.mark.parametrize("name", ["first", "last"])
def test_with_space_again_the_run_ends_well(ended: dict[str, Any], name: str) -> None:
    code, out, err = ended[name]
    assert code == 0, out + err


def test_what_failed_left_nothing(ended: dict[str, Any], disk: Path) -> None:
    assert ended["last"][0] == 0
    releases = {path.name: sorted(os.listdir(path)) for path in (disk / "output/releases").iterdir()}
    assert releases == {"trips": [".lock", "1"], "other": [".lock", "1"]}
    assert not list((disk / "output/artifacts").glob("*/*/*/.*"))


def test_a_full_disk_under_the_metadata_store(ended: dict[str, Any], disk: Path) -> None:
    code, _, err = ended["store"]
    assert code == 1
    assert "The disk is full." in err
    assert f"Where: {disk}/output/metadata" in err
