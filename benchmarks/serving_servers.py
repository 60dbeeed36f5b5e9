"""The servers that are measured, ours and others', each a group of processes that is started and stopped."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from benchmarks.timed_process import child_environment
from schemas.errors import RunError, SetupError

_HERE = Path(__file__).resolve().parent
_START_SECONDS = 180.0
_PACKAGES = {"kserve": "kserve==0.15.2", "mlflow": "mlflow==3.17.2", "ray": "ray[serve]==2.60.0"}
_WORKERS = len(os.sched_getaffinity(0))


@dataclass(frozen=True)
class Server:
    """One way to serve the model.

    Attributes:
        name: in the report.
        command: arguments, made from the folder of the SavedModel and the first of the two ports that are free.
        paths: by protocol, what is asked.
        environment: variables to add.
    """

    name: str
    command: Callable[[Path, int], list[str]]
    paths: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=dict)


def ours(name: str, *options: str) -> Server:
    """Our server; gRPC is on the first port, REST on the second."""

    def command(model: Path, port: int) -> list[str]:
        serve = [sys.executable, "-m", "runners.cli", "serve", "--model", f"taxi={model.parent}"]
        return [*serve, "--grpc-port", str(port), "--rest-port", str(port + 1), *options]

    return Server(
        name, command, {"grpc": "/tensorflow.serving.PredictionService/Predict", "rest": "/v1/models/taxi:predict"}
    )


def others(folder: Path) -> list[Server]:
    """KServe, MLflow and Ray Serve, set for throughput: a process for each core, and batches where they have them.

    Args:
        folder: for the model as MLflow saves it.
    """

    def script(peer: str, model: Path, port: int, *arguments: str) -> list[str]:
        return [str(python_of(peer)), str(_HERE / f"serving_{peer}.py"), str(model), str(port), *arguments]

    def mlflow(model: Path, port: int) -> list[str]:
        saved = folder / "mlflow"
        if not saved.exists():
            save = [str(python_of("mlflow")), "serving_mlflow.py", str(model.resolve()), str(saved.resolve())]
            # Not from where our packages are, or MLflow takes them for the model's code.
            subprocess.run(save, cwd=_HERE, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        program = str(python_of("mlflow").with_name("mlflow"))
        options = ["--env-manager", "local", "-h", "127.0.0.1", "-p", str(port), "-w", str(_WORKERS)]
        return [program, "models", "serve", "-m", str(saved), *options]

    path = os.environ["PATH"]
    in_ray = {"RAY_SERVE_THROUGHPUT_OPTIMIZED": "1", "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
    return [
        Server(
            "KServe",
            lambda model, port: script("kserve", model, port, str(_WORKERS)),
            {"rest": "/v1/models/taxi:predict"},
        ),
        Server("MLflow", mlflow, {"rest": "/invocations"}, {"PATH": f"{python_of('mlflow').parent}:{path}"}),
        Server(
            "Ray Serve", lambda model, port: script("ray", model, port, str(_WORKERS), "0"), {"rest": "/taxi"}, in_ray
        ),
        Server(
            "Ray Serve, serve.batch",
            lambda model, port: script("ray", model, port, "1", "1"),
            {"rest": "/taxi"},
            in_ray,
        ),
    ]


class Running:
    """A server that answers, until the end of the `with`.

    Args:
        server: what is started.
        model: folder of the SavedModel.
        port: of gRPC if it is ours, otherwise of REST; one more is ours of REST.
        log: file.
        probe: a body of REST that must be answered with 200 before the server counts as started.

    Raises:
        RunError: it does not answer.
    """

    def __init__(self, server: Server, model: Path, port: int, log: Path, probe: bytes) -> None:
        self.ports = {"grpc": port, "rest": port + 1} if "grpc" in server.paths else {"rest": port}
        self._server, self._probe, self._log = server, probe, log
        environment = child_environment() if "grpc" in server.paths else {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
        if "grpc" not in server.paths:
            environment.pop("PYTHONPATH", None)
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                server.command(model, port),
                cwd=log.parent if "grpc" not in server.paths else _HERE.parent,
                env={**environment, **server.environment},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> Running:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ports['rest']}{self._server.paths['rest']}",
            self._probe,
            {"Content-Type": "application/json"},
        )
        until = time.monotonic() + _START_SECONDS
        while True:
            try:
                with urllib.request.urlopen(request, timeout=10):
                    return self
            except OSError as error:
                why = error.read().decode(errors="replace") if isinstance(error, urllib.error.HTTPError) else str(error)
            if self._process.poll() is not None or time.monotonic() > until:
                self.__exit__()
                tail = "\n".join(self._log.read_text(errors="replace").splitlines()[-20:])
                raise RunError(f"{self._server.name} does not answer: {why}\n{tail}", where=str(self._log))
            time.sleep(0.2)

    def __exit__(self, *_: object) -> None:
        """Ends it and whatever it has started."""
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def peers_folder() -> Path:
    """Where the others' environments are kept, outside of the project: a gigabyte each."""
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "scalable-tensorflow" / "serving-peers"


def python_of(peer: str) -> Path:
    """The interpreter of a peer's environment."""
    return peers_folder() / peer / "bin" / "python"


def prepare_peers() -> dict[str, str]:
    """Makes the environments that are not there, with uv, and our TensorFlow's version in each.

    Returns:
        Versions by peer.

    Raises:
        SetupError: one cannot be made.
    """
    uv = ""
    for peer, package in _PACKAGES.items():
        done = python_of(peer).parent.parent / "complete"
        if done.exists() and done.read_text() == package:
            continue
        shutil.rmtree(done.parent, ignore_errors=True)
        uv = uv or _uv()
        wanted = [package, f"tensorflow=={version('tensorflow')}", f"tf-keras=={version('tf-keras')}"]
        for arguments in (
            ["venv", "-q", "--python", sys.executable, str(done.parent)],
            ["pip", "install", "-q", "--compile-bytecode", "--python", str(python_of(peer)), *wanted],
        ):
            if subprocess.run([uv, *arguments], check=False).returncode != 0:
                raise SetupError(f"The environment of {peer} cannot be made.", where=str(done.parent), received=wanted)
        done.write_text(package)
    return dict(package.split("==") for package in _PACKAGES.values())


def _uv() -> str:
    """A uv, by the set-up's modules, which are scripts beside each other and not a package."""
    get = f"import os, uv_tool; print(uv_tool.get_uv({str(_HERE.parent / '.cache')!r}, dict(os.environ)))"
    command = [sys.executable, "-c", get]
    done = subprocess.run(command, cwd=_HERE.parent / "requirements", stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.split()[-1]


def serving_versions() -> dict[str, str]:
    """Of what our server is made of."""
    return {name: version(name) for name in ("tensorflow", "grpcio", "protobuf", "uvicorn")}


def run_load(plan: Mapping[str, object], seconds: float) -> dict[str, object]:
    """Runs the load generator.

    Args:
        plan: as `benchmarks.serving_load` takes it.
        seconds: that it may take.

    Raises:
        RunError: it failed.
    """
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.serving_load"],
        input=json.dumps(plan).encode(),
        stdout=subprocess.PIPE,
        cwd=_HERE.parent,
        env=child_environment(),
        timeout=seconds,
        check=False,
    )
    if done.returncode != 0:
        raise RunError("The load generator failed.", received=f"exit code {done.returncode}")
    found: dict[str, object] = json.loads(done.stdout)
    return found
