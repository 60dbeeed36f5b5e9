from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from setup_error import SetupError

from deploy.engine import Buildah, Docker, find_engine

EITHER = "start a Docker engine, or as root on Debian or Ubuntu: apt-get install -y buildah debootstrap."


def _command(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def _refusal(environ: dict[str, str]) -> str:
    with pytest.raises(SetupError) as caught:
        find_engine(environ)
    return str(caught.value)


def test_docker_is_first(tmp_path: Path) -> None:
    for name in ("docker", "buildah", "debootstrap"):
        _command(tmp_path, name, "exit 0")

    assert isinstance(find_engine({"PATH": str(tmp_path)}), Docker)


@pytest.mark.skipif(os.geteuid() != 0, reason="buildah is for root")
def test_buildah_where_dockers_engine_is_silent(tmp_path: Path) -> None:
    _command(tmp_path, "docker", "exit 1")
    for name in ("buildah", "debootstrap"):
        _command(tmp_path, name, "exit 0")

    assert isinstance(find_engine({"PATH": str(tmp_path)}), Buildah)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may use buildah")
def test_buildah_is_for_root(tmp_path: Path) -> None:
    for name in ("buildah", "debootstrap"):
        _command(tmp_path, name, "exit 0")

    assert _refusal({"PATH": str(tmp_path)}) == (
        "Without a Docker engine an image is built in a changed root, which only root may do.\n"
        f"  Received: user id {os.geteuid()}; no docker on PATH\n"
        "  Fix: start a Docker engine, or call again as root, e.g. sudo -E make image."
    )


def test_without_either_the_message_says_how_to_get_one(tmp_path: Path) -> None:
    assert _refusal({"PATH": str(tmp_path)}) == (
        "An image is built by Docker, or by buildah with debootstrap.\n"
        "  Received: no docker on PATH; no buildah and no debootstrap on PATH\n"
        f"  Fix: {EITHER}"
    )


def test_a_silent_docker_is_quoted(tmp_path: Path) -> None:
    _command(tmp_path, "docker", "echo 'Cannot connect to the Docker daemon.' >&2; exit 1")

    assert "Received: docker says: Cannot connect to the Docker daemon.\n" in _refusal(
        {"PATH": str(tmp_path), "IMAGE_ENGINE": "docker"}
    )


def test_an_engine_must_be_known(tmp_path: Path) -> None:
    assert _refusal({"PATH": str(tmp_path), "IMAGE_ENGINE": "podman"}) == (
        "IMAGE_ENGINE names no engine that is known here.\n  Received: podman\n  Fix: docker, buildah, or unset it."
    )
