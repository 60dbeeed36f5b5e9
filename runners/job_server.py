"""A Beam job server as a process of the run: started where the settings name none, and gone with the run."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from configs.engine import Engine, Flink, Spark
from runners.java import jars, java
from runners.processors import processors
from runners.worker import die_with
from schemas.errors import RunError

_STARTED = re.compile(r"JobService started on \S+:(\d+)")
_START_SECONDS = 90.0
_STOP_SECONDS = 10.0
_LOG_LINES = 5
_OPENED = ("lang", "lang.invoke", "lang.reflect", "net", "nio", "util", "util.concurrent", "util.concurrent.atomic")
"""Packages of java.base that Spark and Flink look into."""
_DRIVERS = {
    "flink": "org.apache.beam.runners.flink.FlinkJobServerDriver",
    "spark": "org.apache.beam.runners.spark.SparkJobServerDriver",
}


@contextlib.contextmanager
def job_servers(engine: Engine, folder: Path, environ: Mapping[str, str]) -> Iterator[Engine]:
    """The settings with the address of a job server for each kind that needs one; what is started ends with the block.

    Args:
        engine: settings.
        folder: gets one for each server, with its log.
        environ: the environment of the servers.

    Raises:
        SetupError: Java or the jars are not there.
        RunError: a server does not start.
    """
    with contextlib.ExitStack() as started:
        for kind in sorted(engine.kinds & _DRIVERS.keys()):
            settings = engine.flink if kind == "flink" else engine.spark
            if settings.address is None:
                port = started.enter_context(_job_server(kind, settings, folder, environ))
                engine = engine.model_copy(update={kind: settings.model_copy(update={"address": f"localhost:{port}"})})
        yield engine


@contextlib.contextmanager
def _job_server(kind: str, settings: Flink | Spark, folder: Path, environ: Mapping[str, str]) -> Iterator[int]:
    program, classes = java(environ), f"{jars(kind, settings.jars, environ)}/*"
    # Of this server alone: a run that is resumed has another, and so has each of several nodes run by themselves.
    place = folder / f"{kind}-job-server-{secrets.token_hex(3)}"
    place.mkdir()
    log, artifacts = place / "job-server.log", place / "artifacts"
    # Java does not know TMPDIR, and a server that is killed leaves what it has unpacked.
    with tempfile.TemporaryDirectory(prefix=f"{kind}-job-server-", ignore_cleanup_errors=True) as scratch:
        command = [
            program,
            f"-Xmx{settings.memory_mb}m",
            f"-Djava.io.tmpdir={scratch}",
            *(f"--add-opens=java.base/java.{package}=ALL-UNNAMED" for package in _OPENED),
            *("--add-opens=java.base/sun.nio.ch=ALL-UNNAMED", "--add-opens=java.base/sun.security.action=ALL-UNNAMED"),
            *("-cp", classes),
            *(f"-D{key}={value}" for key, value in settings.configuration.items() if kind == "spark"),
            _DRIVERS[kind],
            *("--job-port=0", "--artifact-port=0", "--expansion-port=0", f"--artifacts-dir={artifacts}"),
            *(_flink(settings, place) if isinstance(settings, Flink) else _spark(settings)),
        ]
        parent = os.getpid()
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environ),
                start_new_session=True,
                preexec_fn=lambda: die_with(parent),
            )
        try:
            yield _port(process, log, kind)
        finally:
            _stop(process)
            shutil.rmtree(artifacts, ignore_errors=True)


def _flink(settings: Flink, place: Path) -> list[str]:
    """Flags of Flink's job server, and the configuration of the cluster inside of it."""
    slots = settings.parallelism or processors()
    configuration = {
        "taskmanager.numberOfTaskSlots": str(slots),
        "parallelism.default": str(slots),
        "taskmanager.memory.network.min": f"{settings.network_mb}m",
        "taskmanager.memory.network.max": f"{settings.network_mb}m",
        "rest.bind-port": "0",
        **settings.configuration,
    }
    text = "".join(f"{key}: {value}\n" for key, value in configuration.items())
    (place / "flink-conf.yaml").write_text(text, encoding="utf-8")
    return [f"--flink-master={settings.master}", f"--flink-conf-dir={place}"]


def _spark(settings: Spark) -> list[str]:
    return [f"--spark-master-url={settings.master or f'local[{settings.parallelism or processors()}]'}"]


def _port(process: subprocess.Popen[bytes], log: Path, kind: str) -> int:
    """The port that the server says it listens on."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if found := _STARTED.search(log.read_text(encoding="utf-8", errors="replace")):
            return int(found[1])
        if process.poll() is not None:
            break
        time.sleep(0.1)
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    ended = process.poll()
    raise RunError(
        f"The job server of {kind.capitalize()} did not start.",
        where=str(log),
        received=" | ".join(lines[-_LOG_LINES:]) or (f"exit code {ended}" if ended is not None else "no output"),
        fix=f"See its log. engine.{kind}.memory_mb is its heap, engine.{kind}.master the cluster that works for it.",
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the server and whatever it has started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
            return
