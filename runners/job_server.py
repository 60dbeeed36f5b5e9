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

from configs.engine import Engine, EngineKind, Flink, JobServer, Prism, Spark
from runners.engine_program import engine_program
from runners.flink_version import check_flink_version
from runners.java import jars, java
from runners.processors import processors
from runners.worker import die_with
from schemas.errors import RunError

_STARTED = re.compile(r'(?:JobService started on |"Serving JobManagement","endpoint":")\S+?:(\d+)')
_START_SECONDS = 90.0
_STOP_SECONDS = 10.0
_LOG_LINES = 5
_OPENED = ("lang", "lang.invoke", "lang.reflect", "net", "nio", "util", "util.concurrent", "util.concurrent.atomic")
"""Packages of java.base that Spark and Flink look into."""
_DRIVERS = {
    "flink": "org.apache.beam.runners.flink.FlinkJobServerDriver",
    "spark": "org.apache.beam.runners.spark.SparkJobServerDriver",
}


_KINDS: tuple[EngineKind, ...] = ("flink", "spark", "prism")
"""Engines whose job server a run can start."""


def require_job_servers(engine: Engine, environ: Mapping[str, str]) -> None:
    """Makes sure, before anything runs, that what a run would start is there.

    Raises:
        SetupError: Java, a server's jars, or a program is not, or a cluster is of another version.
    """
    for kind, settings in _servers(engine):
        if settings.workers.kind == "process" and settings.workers.command is None:
            engine_program("boot", None, environ)
        if settings.address is None and isinstance(settings, Prism):
            engine_program("prism", settings.binary, environ)
        elif settings.address is None and isinstance(settings, Flink | Spark):
            java(environ)
            folder = jars(kind, settings.jars, environ)
            if isinstance(settings, Flink) and not settings.master.startswith("["):
                check_flink_version(settings.master, folder)


@contextlib.contextmanager
def job_servers(engine: Engine, folder: Path, environ: Mapping[str, str]) -> Iterator[Engine]:
    """The settings with the address of a job server for each kind that needs one; what is started ends with the block.

    Args:
        engine: settings.
        folder: gets one for each server, with its log.
        environ: the environment of the servers.

    Raises:
        SetupError: Java, the jars or a program is not there.
        RunError: a server does not start.
    """
    with contextlib.ExitStack() as started:
        for kind, settings in _servers(engine):
            found: dict[str, object] = {}
            if settings.workers.kind == "process" and settings.workers.command is None:
                boot = engine_program("boot", None, environ)
                found["workers"] = settings.workers.model_copy(update={"command": str(boot)})
            if settings.address is None and kind in _KINDS:
                port = started.enter_context(_job_server(kind, settings, folder, environ))
                found["address"] = f"localhost:{port}"
            engine = engine.model_copy(update={kind: settings.model_copy(update=found)})
        yield engine


def _servers(engine: Engine) -> list[tuple[EngineKind, JobServer]]:
    found = [(kind, engine.server_of(kind)) for kind in sorted(engine.kinds)]
    return [(kind, settings) for kind, settings in found if settings is not None]


@contextlib.contextmanager
def _job_server(kind: EngineKind, settings: JobServer, folder: Path, environ: Mapping[str, str]) -> Iterator[int]:
    # Of this server alone: a run that is resumed has another, and so has each of several nodes run by themselves.
    place = folder / f"{kind}-job-server-{secrets.token_hex(3)}"
    # Java does not know TMPDIR, and a server that is killed leaves what it has unpacked.
    with tempfile.TemporaryDirectory(prefix=f"{kind}-job-server-", ignore_cleanup_errors=True) as scratch:
        command = _command(kind, settings, place, scratch, environ)
        place.mkdir()
        if isinstance(settings, Flink):
            _configure(settings, place)
        log, parent = place / "job-server.log", os.getpid()
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**environ, "TMPDIR": scratch},
                preexec_fn=lambda: _begin(parent),
            )
        try:
            yield _port(process, log, kind)
        finally:
            _stop(process)
            shutil.rmtree(place / "artifacts", ignore_errors=True)


def _begin(parent: int) -> None:
    """Gives the server a group of its own, which a signal from the terminal does not reach, and an end with the run."""
    os.setpgid(0, 0)
    die_with(parent)


def _command(kind: EngineKind, settings: JobServer, place: Path, scratch: str, environ: Mapping[str, str]) -> list[str]:
    if isinstance(settings, Flink | Spark):
        return _java_command(kind, settings, place, scratch, environ)
    program = engine_program("prism", settings.binary if isinstance(settings, Prism) else None, environ)
    return [str(program), "-job_port=0", "-serve_http=false", "-log_kind=json"]


def _java_command(
    kind: EngineKind, settings: Flink | Spark, place: Path, scratch: str, environ: Mapping[str, str]
) -> list[str]:
    return [
        java(environ),
        f"-Xmx{settings.memory_mb}m",
        f"-Djava.io.tmpdir={scratch}",
        *(f"--add-opens=java.base/java.{package}=ALL-UNNAMED" for package in _OPENED),
        *("--add-opens=java.base/sun.nio.ch=ALL-UNNAMED", "--add-opens=java.base/sun.security.action=ALL-UNNAMED"),
        *("-cp", f"{jars(kind, settings.jars, environ)}/*"),
        *(f"-D{key}={value}" for key, value in settings.configuration.items() if kind == "spark"),
        _DRIVERS[kind],
        *("--job-port=0", "--artifact-port=0", "--expansion-port=0", f"--artifacts-dir={place / 'artifacts'}"),
        *(
            [f"--flink-master={settings.master}", f"--flink-conf-dir={place}"]
            if isinstance(settings, Flink)
            else [f"--spark-master-url={settings.master or f'local[{settings.parallelism or processors()}]'}"]
        ),
    ]


def _configure(settings: Flink, place: Path) -> None:
    """Writes the configuration of the cluster inside of Flink's job server."""
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
        fix="See its log."
        if kind == "prism"
        else f"See its log. engine.{kind}.memory_mb is its heap, engine.{kind}.master the cluster that works for it.",
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the server and whatever it has started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
            break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # what it had started may outlive it
