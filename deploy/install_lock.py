"""Installs a lock into an environment of the image: hash-checked, byte-compiled, with the mechanism of `make setup`.

The Dockerfile copies it beside the modules of requirements/ that it uses, and runs it:

    python3 install_lock.py LOCK ENVIRONMENT
"""

import os
import subprocess
import sys
from typing import Dict

from machine import say
from setup_error import SetupError, exit_code_of
from uv_tool import environment_for_uv, get_uv

CACHE = "/var/cache/uv"
SECRETS = "/run/secrets"


def _environ() -> Dict[str, str]:
    environ = dict(os.environ)
    certificates = os.path.join(SECRETS, "ca")
    if os.path.exists(certificates):
        environ.update(SSL_CERT_FILE=certificates, PIP_CERT=certificates)
    index = os.path.join(SECRETS, "index")
    if os.path.exists(index):
        with open(index) as file:
            environ["PIP_INDEX_URL"] = file.read().strip()
    # The cache is on another file system than the environment.
    return environment_for_uv({**environ, "UV_CACHE_DIR": CACHE, "UV_LINK_MODE": "copy"})


def install_lock(lock: str, place: str) -> None:
    """Makes the environment if it is not there, and adds what the lock names.

    Args:
        lock: a requirements file with hashes.
        place: folder of the virtual environment.

    Raises:
        SetupError: uv or a package could not be had.
    """
    environ = _environ()
    # pip, which may fetch uv, asks for them too; uv is kept in the cache, so that no layer holds it.
    os.environ.update(environ)
    uv = get_uv(CACHE, environ)
    if not os.path.exists(os.path.join(place, "pyvenv.cfg")):
        _run(environ, uv, "venv", "--quiet", "--no-project", "--python", "/usr/bin/python3", place)
    constraint = os.path.join(os.path.dirname(lock), "build.txt")
    say("installing " + os.path.basename(lock))
    exactly = ("--require-hashes", "--build-constraint", constraint, "--compile-bytecode")
    _run(
        environ, uv, "pip", "install", "--quiet", "--python", os.path.join(place, "bin", "python"), *exactly, "-r", lock
    )


def _run(environ: Dict[str, str], *command: str) -> None:
    if subprocess.run(command, env=environ).returncode:
        raise SetupError(
            "The packages could not be installed into the image: uv's lines above say why.",
            " ".join(command[1:3]),
            "for an unreachable index or an unknown certificate, set PIP_INDEX_URL or SSL_CERT_FILE before the build.",
        )


if __name__ == "__main__":
    sys.exit(exit_code_of(lambda: install_lock(sys.argv[1], sys.argv[2])))
