"""Builds two of Beam's programs that no package index has: part of `make engines`. Standard library only.

`prism` is Beam's own engine; `boot` starts Python workers where an engine starts them as processes. Both are of Beam's
Go module, whose checksums, and those of all that it needs, requirements/engines/go holds.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from typing import Dict

from engine_jars import engines_folder
from machine import say
from setup_error import SetupError, exit_code_of

_HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "engines", "go")
_MODULE = "github.com/apache/beam/sdks/v2"
_PACKAGES = {"boot": f"{_MODULE}/python/container", "prism": f"{_MODULE}/go/cmd/prism"}


def beam_version() -> str:
    """The version of Beam that the Go module names."""
    with open(os.path.join(_HERE, "go.mod")) as file:
        found = re.search(rf"{_MODULE} v(\S+)", file.read())
    return found.group(1) if found else ""


def programs_folder(environ: Dict[str, str]) -> str:
    """Where the programs are, or will be."""
    return os.path.join(engines_folder(environ), f"beam-{beam_version()}")


def build_programs(environ: Dict[str, str]) -> None:
    """Builds what is not there yet; without Go it says what is missing.

    Args:
        environ: PATH, XDG_CACHE_HOME, and what Go reads: GOPROXY, HTTPS_PROXY.

    Raises:
        SetupError: Go could not build them.
    """
    folder = programs_folder(environ)
    os.makedirs(engines_folder(environ), exist_ok=True)
    # The kernel drops the lock with its holder, however that ends.
    with open(os.path.join(engines_folder(environ), "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.isdir(folder):
            say(f"prism and boot of Beam {beam_version()} are in {folder}")
        elif not shutil.which("go", path=environ.get("PATH")):
            say("there is no Go to build Beam's prism and boot, for --engine prism and workers of the kind process")
        else:
            say(f"building prism and boot of Beam {beam_version()}, once: 3 minutes on 2 cores")
            _build(folder, environ)


def _build(folder: str, environ: Dict[str, str]) -> None:
    with tempfile.TemporaryDirectory(dir=os.path.dirname(folder)) as scratch:
        made = os.path.join(scratch, "programs")
        for name, package in _PACKAGES.items():
            command = ["go", "build", "-trimpath", "-ldflags=-s -w", "-o", os.path.join(made, name), package]
            given = {**environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"}
            done = subprocess.run(command, cwd=_HERE, env=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if done.returncode:
                lines = done.stdout.decode(errors="replace").splitlines()
                raise SetupError(
                    f"Go could not build {name}.",
                    " | ".join(lines[-2:]),
                    "it takes Go 1.22 or newer and a module proxy; GOPROXY names another. Call again when it works.",
                )
        os.rename(made, folder)
    say(folder)


if __name__ == "__main__":
    sys.exit(exit_code_of(lambda: build_programs(dict(os.environ))))
