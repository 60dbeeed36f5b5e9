"""Java, and the jars of Beam's job servers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from configs.paths import resolve
from schemas.errors import SetupError

VERSIONS = {"flink": "flink-1.19-beam-2.62.0", "spark": "spark-3.5.0-beam-2.62.0"}
"""Folders of the jars that `make engines` puts together, by engine."""
_OLDEST = 11


def java(environ: Mapping[str, str]) -> str:
    """Path of a java that is new enough.

    Args:
        environ: JAVA_HOME and PATH.

    Raises:
        SetupError: there is none.
    """
    home = environ.get("JAVA_HOME")
    found = str(Path(home, "bin", "java")) if home else shutil.which("java", path=environ.get("PATH"))
    fix = f"Install Java {_OLDEST} or newer (Debian: apt-get install openjdk-17-jre-headless), or set JAVA_HOME to one."
    if not found or not os.access(found, os.X_OK):
        raise SetupError("The job server of the engine needs Java.", received=found or "no java on PATH", fix=fix)
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(?:1\.)?(\d+)', said)
    if version is None or int(version[1]) < _OLDEST:
        shown = said.strip().splitlines()[0] if said.strip() else "no version"
        raise SetupError("Java is too old for the job server of the engine.", where=found, received=shown, fix=fix)
    return found


def jars(engine: str, folder: str | None, environ: Mapping[str, str]) -> Path:
    """The folder of a job server's jars.

    Args:
        engine: flink or spark.
        folder: as the settings give it; None: what `make engines` made.
        environ: XDG_CACHE_HOME.

    Raises:
        SetupError: there are none.
    """
    caches = environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    path = Path(resolve(folder)) if folder else Path(caches, "scalable-tensorflow", "engines", VERSIONS[engine])
    if not path.is_dir() or not any(path.glob(f"beam-runners-{engine}*.jar")):
        raise SetupError(
            f"The job server of {engine.capitalize()} is not there.",
            where=str(path),
            received=f"no beam-runners-{engine}*.jar",
            fix=f"Run `make engines` once, or set engine.{engine}.jars to a folder that holds it, "
            f"or engine.{engine}.address to a job server that runs.",
        )
    return path
