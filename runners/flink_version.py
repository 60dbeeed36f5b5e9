"""The version of a Flink cluster against that of the job server: another one fails late, in words about classes."""

from __future__ import annotations

import re
from pathlib import Path

import requests

from schemas.errors import SetupError

_SECONDS = 10.0
_JAR = re.compile(r"beam-runners-flink-(?P<version>\d+\.\d+)-")


def check_flink_version(master: str, folder: Path) -> None:
    """Compares the two; a cluster that does not answer, or does not tell, is left to the job server.

    Args:
        master: HOST:PORT of the cluster's REST service, or its URL.
        folder: of the jars.

    Raises:
        SetupError: they differ.
    """
    wanted = next(filter(None, (_JAR.match(path.name) for path in folder.glob("beam-runners-flink-*.jar"))), None)
    running = _running(master if "://" in master else f"http://{master}")
    if wanted is None or not running or running.split(".")[:2] == wanted["version"].split("."):
        return
    raise SetupError(
        "The Flink cluster is of another version than the job server.",
        where="engine.flink.master",
        received=f"{master} is Flink {running}; the jars in {folder} are for {wanted['version']}",
        fix=f"Get the cluster's: make engines FLINK_VERSION={'.'.join(running.split('.')[:2])}, with a BEAM_VERSION "
        "that has it, and set engine.flink.jars to their folder; or give the address of a job server of its version.",
    )


def _running(url: str) -> str:
    try:
        answer = requests.get(f"{url}/v1/config", timeout=_SECONDS)
        answer.raise_for_status()
        found = answer.json()
    except (requests.RequestException, ValueError):
        return ""
    return str(found.get("flink-version", "")) if isinstance(found, dict) else ""
