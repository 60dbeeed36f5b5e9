"""Puts Beam's job servers for Flink and Spark together: `make engines`. Standard library only.

The single-jar job servers are on no mirror of Maven Central; their parts are. Maven copies what requirements/engines
names, and what that needs, to a folder for each engine in a cache outside of the project, once for each version. The
jars of the versions named there are held against recorded checksums; BEAM_VERSION, FLINK_VERSION and SPARK_VERSION name
others, which Maven alone checks.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from typing import Dict, List

from machine import say
from setup_error import SetupError, exit_code_of

ENGINES = ("flink", "spark")
_HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "engines")
_NEEDED_BYTES = 10**9


def engines_folder(environ: Dict[str, str]) -> str:
    """Where the folders of the engines are.

    Args:
        environ: XDG_CACHE_HOME.
    """
    caches = environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(caches, "scalable-tensorflow", "engines")


def versions(engine: str, environ: Dict[str, str]) -> Dict[str, str]:
    """Version of Beam and of an engine: as `environ` names them, else as the engine's file does."""
    with open(os.path.join(_HERE, f"{engine}.xml")) as file:
        text = file.read()
    found = {}
    for name in ("beam", engine):
        match = re.search(f"<{name}>(.*)</{name}>", text)
        found[name] = environ.get(f"{name.upper()}_VERSION") or (match.group(1) if match else "")
    return found


def jars_folder(engine: str, environ: Dict[str, str]) -> str:
    """Where the jars of an engine are, or will be."""
    wanted = versions(engine, environ)
    return os.path.join(engines_folder(environ), f"{engine}-{wanted[engine]}-beam-{wanted['beam']}")


def get_jars(environ: Dict[str, str]) -> None:
    """Gets what is not there yet.

    Args:
        environ: PATH, XDG_CACHE_HOME, versions, and what Maven reads.

    Raises:
        SetupError: Maven or the disk does not do, or a jar could not be had or is another than it should be.
    """
    os.makedirs(engines_folder(environ), exist_ok=True)
    # The kernel drops the lock with its holder, however that ends.
    with open(os.path.join(engines_folder(environ), "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for engine in ENGINES:
            folder = jars_folder(engine, environ)
            if os.path.isdir(folder):
                say(f"the job server of {engine.capitalize()} is in {folder}")
            else:
                _check_machine(environ)
                _get(engine, folder, environ)


def _check_machine(environ: Dict[str, str]) -> None:
    if not shutil.which("mvn", path=environ.get("PATH")):
        raise SetupError(
            "The job servers of Flink and Spark are put together by Maven.",
            "no mvn on PATH",
            "install it and Java 17 (Debian: apt-get install maven openjdk-17-jdk-headless), or give runs the address "
            "of a job server that is there: engine.flink.address, engine.spark.address.",
        )
    free = shutil.disk_usage(engines_folder(environ)).free
    if free < _NEEDED_BYTES:
        raise SetupError(
            f"The job servers need {_NEEDED_BYTES / 1e9:.0f} GB of disk.",
            f"{free / 1e9:.1f} GB free at {engines_folder(environ)}",
            "free some, or set XDG_CACHE_HOME to another disk.",
        )


def _get(engine: str, folder: str, environ: Dict[str, str]) -> None:
    begin = time.monotonic()
    say(f"getting the job server of {engine.capitalize()} from Maven Central, once")
    with tempfile.TemporaryDirectory(dir=engines_folder(environ)) as scratch:
        made = os.path.join(scratch, "jars")
        shutil.copy(os.path.join(_HERE, f"{engine}.xml"), os.path.join(scratch, "pom.xml"))
        given = [f"-D{name}={version}" for name, version in versions(engine, environ).items()]
        # Strict checksums: a jar that came damaged is an error, not a warning.
        command = ["mvn", "-q", "-B", "-C", *given, "dependency:copy-dependencies", f"-DoutputDirectory={made}"]
        done = subprocess.run(command, cwd=scratch, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            lines = [line for line in done.stdout.decode(errors="replace").splitlines() if "ERROR" in line]
            raise SetupError(
                f"Maven could not get the job server of {engine.capitalize()}.",
                " | ".join(lines[:2]) or f"exit code {done.returncode}",
                "if the network is the cause, ~/.m2/settings.xml names a mirror or a proxy. Call again when it works.",
            )
        if versions(engine, environ) == versions(engine, {}):
            _check(engine, made)
        os.rename(made, folder)
    say(f"{folder}, in {time.monotonic() - begin:.0f} s")


def _check(engine: str, folder: str) -> None:
    """Holds the jars against the recorded checksums."""
    with open(os.path.join(_HERE, f"{engine}.sha256")) as file:
        wanted = file.read().splitlines()
    wrong = sorted({*checksums(folder)} ^ {*wanted})
    if wrong:
        raise SetupError(
            f"The jars of {engine.capitalize()} are not those that were recorded.",
            ", ".join(sorted({line.split()[-1] for line in wrong})[:5]),
            "call again; should it stay so, somebody between Maven Central and this machine has changed them.",
        )


def checksums(folder: str) -> List[str]:
    """A line `SHA-256  NAME` for each file, as sha256sum writes them."""
    lines = []
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            lines.append(f"{hashlib.sha256(file.read()).hexdigest()}  {name}")
    return lines


if __name__ == "__main__":
    sys.exit(exit_code_of(lambda: get_jars(dict(os.environ))))
