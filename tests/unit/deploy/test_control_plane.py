from __future__ import annotations

from pathlib import Path

import pytest
from setup_error import SetupError

from deploy.control_plane import PROGRAMS, VERSION, build_control_plane, control_plane_folder, is_built


def _go(folder: Path, script: str) -> dict[str, str]:
    """An environment whose Go is a shell script."""
    folder.mkdir(exist_ok=True)
    path = folder / "go"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return {
        "PATH": f"{folder}:/usr/bin:/bin",
        "XDG_CACHE_HOME": str(folder / "cache"),
        "RECORD": str(folder / "record"),
    }


def _refusal(environ: dict[str, str]) -> str:
    with pytest.raises(SetupError) as caught:
        build_control_plane(environ)
    return str(caught.value)


def test_needs_go(tmp_path: Path) -> None:
    assert _refusal({"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}) == (
        "The control plane of Kubernetes is compiled by Go.\n"
        "  Received: no go on PATH\n"
        "  Fix: install Go 1.22 or newer, https://go.dev/dl/, and put it on PATH."
    )


def test_an_old_go_does_not_do(tmp_path: Path) -> None:
    assert "Received: go1.19.8" in _refusal(_go(tmp_path / "bin", "echo go1.19.8"))


def test_without_the_network_it_shows_what_go_says(tmp_path: Path) -> None:
    fails = 'if [ "$1" = env ]; then echo go1.22.0; else echo "go: lookup proxy: no such host" >&2; exit 1; fi'

    assert "no such host" in _refusal(_go(tmp_path / "bin", fails))


def test_the_modules_of_the_source_tree_are_replaced_by_their_releases(tmp_path: Path) -> None:
    script = f"""
case "$1 $2" in
"env GOVERSION") echo go1.26.8 ;;
"mod download") printf '\\tk8s.io/api => ./staging/src/k8s.io/api\\n' > k.mod; echo '{{"GoMod": "'"$PWD/k.mod"'"}}' ;;
"mod edit") echo "$3" >> "$RECORD" ;;
build*) while [ "$1" != -o ]; do shift; done; mkdir -p "$2"; cd "$2"; touch {" ".join(PROGRAMS)}; chmod +x * ;;
esac
"""
    environ = _go(tmp_path / "bin", script)
    build_control_plane(environ)

    assert is_built(control_plane_folder(environ))
    assert (tmp_path / "bin" / "record").read_text() == "-replace=k8s.io/api=k8s.io/api@v0.31.4\n"


def test_what_is_built_is_not_built_again(tmp_path: Path) -> None:
    environ = {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    folder = tmp_path / "scalable-tensorflow" / "kubernetes" / VERSION
    folder.mkdir(parents=True)
    for program in PROGRAMS:
        (folder / program).touch(mode=0o755)

    build_control_plane(environ)
