"""Finds a Python that a stack works on: on PATH, among pyenv's versions, or one that uv manages."""

import glob
import json
import os
import re
import subprocess
from typing import Dict, Iterator, List, NamedTuple, Optional

from machine import Stack, say
from setup_error import SetupError

# Run by each candidate. Old and broken ones fail at it, which is an answer too.
_PROBE = """
import importlib, json, os, sys, sysconfig
missing = []
for name in ("bz2", "ctypes", "lzma", "sqlite3", "ssl", "zlib"):
    try:
        importlib.import_module(name)
    except ImportError:
        missing.append(name)
if sys.implementation.name != "cpython" or sys.maxsize < 2**32:
    missing.append("64-bit CPython")
if not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")):
    missing.append("Python.h (apt-get install python3-dev)")
print(json.dumps({
    "path": getattr(sys, "_base_executable", None) or sys.executable,
    "version": "%d.%d" % sys.version_info[:2],
    "missing": missing,
}))
"""


class Interpreter(NamedTuple):
    """A Python on this machine.

    Attributes:
        path: its executable, outside any virtual environment.
        version: such as 3.10.
        missing: what it lacks to be of use.
    """

    path: str
    version: str
    missing: List[str]


def probe(path: str) -> Optional[Interpreter]:
    """Asks an executable what it is; None when it does not answer like a Python 3."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    try:
        done = subprocess.run(
            [path, "-I", "-c", _PROBE],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=30,
        )
        answer = json.loads(done.stdout.decode())
        return Interpreter(answer["path"], answer["version"], answer["missing"])
    except (OSError, ValueError, TypeError, KeyError, subprocess.TimeoutExpired):
        return None


def _candidates(version: str, environ: Dict[str, str]) -> Iterator[str]:
    pyenv = environ.get("PYENV_ROOT") or os.path.join(environ.get("HOME", ""), ".pyenv")
    found = glob.glob(os.path.join(pyenv, "versions", version + ".*", "bin", "python" + version))
    yield from sorted(found, key=lambda path: [int(digits) for digits in re.findall(r"\d+", path)], reverse=True)
    for folder in environ.get("PATH", "").split(os.pathsep):
        for name in ("python" + version, "python3"):
            path = os.path.join(folder, name)
            if folder and os.access(path, os.X_OK):
                yield path


def find_interpreter(stack: Stack, uv: str, environ: Dict[str, str]) -> Interpreter:
    """The best Python for a stack; uv downloads one where there is none.

    Args:
        stack: what must run on it.
        uv: uv's executable.
        environ: PATH, PYENV_ROOT and HOME say where to look.

    Raises:
        SetupError: there is none, and uv cannot get one.
    """
    refused = []
    for version in stack.pythons:
        for path in _candidates(version, environ):
            found = probe(path)
            if found is None or found.version != version:
                continue
            if not found.missing:
                return found
            refused.append(f"{found.path} lacks {', '.join(found.missing)}")
    return _managed(stack, uv, environ, list(dict.fromkeys(refused)))


def _managed(stack: Stack, uv: str, environ: Dict[str, str], refused: List[str]) -> Interpreter:
    version = stack.pythons[0]
    say(f"no Python {' or '.join(stack.pythons)} here: uv gets Python {version}")
    installed = subprocess.run(
        [uv, "python", "install", "--no-bin", version],
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    where = subprocess.run(
        [uv, "python", "find", "--managed-python", "--no-project", version],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    found = probe(where.stdout.decode().strip()) if where.returncode == 0 else None
    if found is not None:
        return found
    reasons = refused + [line.strip() for line in installed.stderr.decode().splitlines() if line.strip()][-1:]
    raise SetupError(
        f"No Python {' or '.join(stack.pythons)} was found on PATH or in pyenv, and uv could not download one.",
        "; ".join(reasons) or "none",
        f"install one, e.g. apt-get install python{version} python{version}-dev or pyenv install {version}.",
    )
