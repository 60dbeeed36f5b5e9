"""Debian 13 as a base image without a registry: made by debootstrap, once, and kept as an archive."""

import hashlib
import os
import subprocess
import tempfile
from typing import Dict, List

from machine import say
from setup_error import SetupError

SUITE = "trixie"
MIRROR = "http://deb.debian.org/debian"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# As Debian's own slim image: no manuals, no translations, nothing that apt can fetch again. Copyright files stay.
_NEEDLESS = r"""
cd "$1"
rm -rf var/lib/apt/lists/* var/cache/apt/* var/cache/debconf/*-old var/log/* usr/share/man/* usr/share/info/*
rm -rf usr/share/locale/* usr/share/lintian
find usr/share/doc -not -name copyright -not -type d -delete
find usr/share/doc -type d -empty -delete
"""


def cache_folder(environ: Dict[str, str]) -> str:
    """Where the archive is kept, outside of the project."""
    caches = environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(caches, "scalable-tensorflow")


def ensure_base(environ: Dict[str, str]) -> str:
    """Name of the base image in buildah's store; it is made if it is not there.

    Args:
        environ: XDG_CACHE_HOME, and DEBIAN_MIRROR, which may name a snapshot of the archive.

    Raises:
        SetupError: Debian's packages could not be had, or may not be unpacked here.
    """
    archive = os.path.join(cache_folder(environ), f"debian-{SUITE}.tar")
    if not os.path.exists(archive):
        _make(archive, environ.get("DEBIAN_MIRROR") or MIRROR)
    with open(archive, "rb") as file:
        digest = hashlib.sha256()
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    name = f"localhost/scalable-tensorflow-base:{digest.hexdigest()[:16]}"
    known = subprocess.run(
        ["buildah", "inspect", "--type", "image", name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    if known.returncode:
        say(f"importing {archive} as {name}")
        _import(archive, name)
    return name


def _make(archive: str, mirror: str) -> None:
    if not os.path.exists(KEYRING):
        raise SetupError(
            "Debian's packages are checked against its keys.",
            f"no {KEYRING}",
            "apt-get install -y debian-archive-keyring.",
        )
    folder = os.path.dirname(archive)
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        root = os.path.join(scratch, "root")
        say(f"making a Debian 13 root from {mirror}; about a minute, once")
        command = ["debootstrap", "--variant=minbase", "--force-check-gpg", f"--keyring={KEYRING}", SUITE, root, mirror]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if done.returncode:
                raise SetupError(
                    "debootstrap could not make a Debian 13 root.",
                    _last_error(done.stdout.decode(errors="replace").splitlines()),
                    "check the network; DEBIAN_MIRROR names another archive, http_proxy a proxy. The cache's disk, see "
                    "XDG_CACHE_HOME, must allow devices and programs.",
                )
            subprocess.run(["sh", "-ec", _NEEDLESS, "sh", root], check=True)
            subprocess.run(["tar", "-C", root, "--one-file-system", "-cf", archive + ".new", "."], check=True)
            os.replace(archive + ".new", archive)
        finally:
            # An interrupted debootstrap may leave /proc mounted there.
            subprocess.run(["rm", "-rf", "--one-file-system", root])


def _last_error(lines: List[str]) -> str:
    errors = [line for line in lines if line.startswith("E: ")] or lines or ["nothing"]
    return errors[-1]


def _import(archive: str, name: str) -> None:
    done = subprocess.run(["buildah", "from", "scratch"], stdout=subprocess.PIPE, check=True)
    container = done.stdout.decode().strip()
    try:
        subprocess.run(["buildah", "add", "--quiet", container, archive, "/"], stdout=subprocess.DEVNULL, check=True)
        subprocess.run(["buildah", "commit", "--quiet", container, name], stdout=subprocess.DEVNULL, check=True)
    finally:
        subprocess.run(["buildah", "rm", container], stdout=subprocess.DEVNULL)
