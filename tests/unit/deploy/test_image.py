from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def _run(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.image", *arguments],
        cwd=ROOT,
        env={"PATH": str(path), "PYTHONPATH": "requirements", "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
    )


def _docker(folder: Path, script: str) -> Path:
    path = folder / "docker"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return folder


def test_says_which_engine_builds(tmp_path: Path) -> None:
    done = _run(_docker(tmp_path, "exit 0"), "engine")

    assert (done.returncode, done.stderr) == (0, "set-up: images are built with docker\n")


def test_an_unknown_command_is_told_without_a_traceback(tmp_path: Path) -> None:
    done = _run(tmp_path, "push")

    assert done.returncode == 2
    assert done.stderr == (
        "error: There is no such command of the image.\n  Received: push\n  Fix: one of build, test, size, engine.\n"
    )


def test_no_image_to_weigh(tmp_path: Path) -> None:
    done = _run(_docker(tmp_path, 'test "$1" = version'), "size")

    assert done.returncode == 2
    assert done.stderr == (
        "error: There is no image to weigh.\n  Received: no localhost/scalable-tensorflow:product\n  Fix: make image.\n"
    )


def test_a_build_that_fails_ends_with_what_may_help(tmp_path: Path) -> None:
    done = _run(_docker(tmp_path, 'test "$1" = version'), "build")

    assert done.returncode == 2
    assert "error: The image could not be built: the lines above say why.\n" in done.stderr
    assert "Received: exit code 1 of docker\n" in done.stderr
