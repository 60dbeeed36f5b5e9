"""Gets uv, which installs the packages: from PATH, else by pip, else from the index with the standard library."""

import configparser
import hashlib
import html
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from typing import Dict, List, Optional, Tuple

from machine import say
from setup_error import SetupError

VERSION = "0.13.8"
WHEEL = f"uv-{VERSION}-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
SHA256 = "e18a57b8b352eb7c8feb317b9f6f533c8f0ad9673fd6cf34bbe3cf1a9f6a8984"
OLDEST = (0, 8, 0)
INDEX = "https://pypi.org/simple"


def _version(uv: str) -> Tuple[int, ...]:
    try:
        done = subprocess.run([uv, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        return ()
    found = re.match(rb"uv (\d+)\.(\d+)\.(\d+)", done.stdout)
    return tuple(map(int, found.groups())) if found else ()


def index_url(environ: Dict[str, str]) -> str:
    """The package index that pip would use: PIP_INDEX_URL, else pip's configuration files, else PyPI."""
    if environ.get("PIP_INDEX_URL"):
        return environ["PIP_INDEX_URL"]
    home = environ.get("HOME", "")
    settings = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    found = INDEX
    # pip's order: what comes later wins.
    for path in (
        "/etc/pip.conf",
        os.path.join(home, ".pip", "pip.conf"),
        os.path.join(settings, "pip", "pip.conf"),
        environ.get("PIP_CONFIG_FILE", ""),
    ):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path)
            found = parser.get("global", "index-url", fallback=found)
        except configparser.Error:
            continue
    return found


def environment_for_uv(environ: Dict[str, str]) -> Dict[str, str]:
    """The environment that uv runs in: pip's index and certificates; nothing of an activated environment."""
    ours = {
        name: value
        for name, value in environ.items()
        if name not in ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONHOME", "PYTHONPATH")
    }
    if "UV_INDEX_URL" not in ours and index_url(environ) != INDEX:
        ours.setdefault("UV_DEFAULT_INDEX", index_url(environ))
    if ours.get("PIP_CERT"):
        ours.setdefault("SSL_CERT_FILE", ours["PIP_CERT"])
    # TensorFlow's wheel is 0.6 GB: thirty seconds, the default, is short on a slow line.
    ours.setdefault("UV_HTTP_TIMEOUT", "300")
    return ours


def get_uv(folder: str, environ: Dict[str, str], exact: bool = False) -> str:
    """Path of a uv that is fit for use.

    Args:
        folder: where to keep one of our own.
        environ: PATH, and the settings of the package index.
        exact: only the pinned version will do, as for locks that are to be the same whoever makes them.

    Raises:
        SetupError: there is none, and none can be had.
    """
    on_path = shutil.which("uv", path=environ.get("PATH"))
    if on_path:
        version = _version(on_path)
        if version == tuple(map(int, VERSION.split("."))) or (version >= OLDEST and not exact):
            return on_path
    own = os.path.join(folder, f"uv-{VERSION}")
    if _version(own):
        return own
    say(f"getting uv {VERSION}")
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        found = _by_pip([sys.executable], scratch) or _by_venv(scratch) or _by_download(scratch, environ)
        os.chmod(found, 0o755)
        os.replace(found, own)
    return own


def _by_pip(python: List[str], scratch: str) -> Optional[str]:
    pinned = os.path.join(scratch, "uv.txt")
    with open(pinned, "w") as file:
        file.write(f"uv=={VERSION} --hash=sha256:{SHA256}\n")
    target = os.path.join(scratch, "target")
    done = subprocess.run(
        [*python, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--target", target, "-r", pinned],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    found = os.path.join(target, "bin", "uv")
    return found if done.returncode == 0 and _version(found) else None


def _by_venv(scratch: str) -> Optional[str]:
    # Debian packs venv apart from pip, so that there may be the one without the other.
    place = os.path.join(scratch, "venv")
    made = subprocess.run([sys.executable, "-m", "venv", place], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return _by_pip([os.path.join(place, "bin", "python")], scratch) if made.returncode == 0 else None


def _by_download(scratch: str, environ: Dict[str, str]) -> str:
    page = index_url(environ).rstrip("/") + "/uv/"
    try:
        text = _fetch(page).decode()
        link = re.search(f'href="([^"#]*{re.escape(WHEEL)})', text)
        if link is None:
            raise SetupError(
                "The package index has no uv to install the packages with.", f"no {WHEEL} at {page}", _OTHER_INDEX
            )
        wheel = _fetch(urllib.parse.urljoin(page, html.unescape(link.group(1))))
    except (OSError, ValueError) as error:
        raise SetupError("The package index cannot be reached.", f"{error} at {page}", _OTHER_INDEX) from error
    digest = hashlib.sha256(wheel).hexdigest()
    if digest != SHA256:
        raise SetupError(
            "The package index gave another uv than the pinned one.", f"sha256 {digest} at {page}", _OTHER_INDEX
        )
    found = os.path.join(scratch, "uv")
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive, open(found, "wb") as file:
        file.write(archive.read(f"uv-{VERSION}.data/scripts/uv"))
    return found


_OTHER_INDEX = (
    "check the network; PIP_INDEX_URL names another index, HTTPS_PROXY a proxy, SSL_CERT_FILE its certificate. "
    "A uv on PATH is used when there is one."
)


def _fetch(url: str) -> bytes:
    request = urllib.request.Request(url, headers={"Accept": "text/html", "User-Agent": "scalable-tensorflow"})
    with urllib.request.urlopen(request, timeout=300) as answer:
        content: bytes = answer.read()
    return content
