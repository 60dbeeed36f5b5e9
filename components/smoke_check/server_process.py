"""A model server in a process of its own, for as long as it is asked."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from distribution.free_ports import free_ports
from distribution.python_path import python_path
from schemas.errors import ServingError
from serving.client.grpc_client import GrpcClient
from serving.client.rest_client import RestClient

HOST = "127.0.0.1"
EMBEDDED = (
    *(sys.executable, "-m", "runners.cli", "serve", "--model", "{model_name}={model_dir}", "--poll-seconds", "0"),
    *("--grpc-port", "{grpc_port}", "--rest-port", "{rest_port}"),
)
"""Our own server; it picks its ports itself, and tells them."""
_TOLD = re.compile(rb"^(?:gRPC: |REST: http://)127\.0\.0\.1:(\d+)$", re.MULTILINE)
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
_PAUSE, _ANSWER = 0.05, 1.0  # seconds
_GRACE = 10.0  # seconds
_LINES = 15


@dataclass(frozen=True)
class Ports:
    """Of a server on this machine."""

    grpc: int
    rest: int


class ServerProcess:
    """Starts a server, and ends it and all that it has started: a context manager.

    Args:
        model: name of the model.
        folder: has a directory for each version.
        command: words with {model_name}, {model_dir}, {grpc_port} and {rest_port}; None: the embedded server.
        log: file that takes what it prints.
    """

    def __init__(self, model: str, folder: Path, command: Sequence[str] | None, log: Path) -> None:
        self._model, self._log = model, log
        self._ports = Ports(*free_ports(2, HOST)) if command is not None else None
        asked = self._ports or Ports(0, 0)
        values = {"model_name": model, "model_dir": str(folder), "grpc_port": asked.grpc, "rest_port": asked.rest}
        self._is_ours = command is None
        self._command = [word.format(**values) for word in command or EMBEDDED]

    def __enter__(self) -> ServerProcess:
        bound = [sys.executable, "-m", "components.smoke_check.bound_process", str(os.getpid()), *self._command]
        # Another process may hold the memory of the GPUs; what is compared is computed without one, too.
        environment = {**os.environ, "PYTHONPATH": python_path(), "CUDA_VISIBLE_DEVICES": "-1"}
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                bound,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a group of its own: a shell's child would outlive the shell
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._is_ours and self._signal(signal.SIGTERM):
            until = time.monotonic() + _GRACE
            while self._signal(0) and time.monotonic() < until:
                time.sleep(_PAUSE)
        # Ours has nothing to bring to an end, and TensorFlow would take seconds for it.
        self._signal(signal.SIGKILL)
        self._process.wait()

    def wait(self, seconds: float) -> Ports:
        """Waits until both protocols say that the model is served, and gives the ports.

        Args:
            seconds: how long.

        Raises:
            ServingError: the process has ended, it cannot load the model, or the time is over.
        """
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            ended = self._process.poll() is not None
            self._ports = self._ports or self._told()
            if self._ports is not None and self._is_available(self._ports):
                return self._ports
            if ended:
                raise ServingError(
                    "The model server has ended before it served the model.",
                    where=" ".join(self._command),
                    received=self._last_lines() or f"exit code {self._process.returncode}, and not a word",
                    fix="Start it by hand to see more.",
                )
            time.sleep(_PAUSE)
        raise ServingError(
            f"The model server does not serve the model after {seconds:g} s.",
            where=" ".join(self._command),
            received=self._last_lines() or "not a word",
            fix="Allow it more in smoke_check.load_seconds, or see what it does meanwhile.",
        )

    def peak_memory_mib(self) -> float | None:
        """The most resident memory that the process has had, in MiB; None where it is gone."""
        with contextlib.suppress(OSError):
            if found := _PEAK.search(Path(f"/proc/{self._process.pid}/status").read_text()):
                return int(found[1]) / 1024
        return None

    def _signal(self, number: int) -> bool:
        """Sends a signal, or with 0 none, to the server and all that it has started; False: nothing is left of them."""
        self._process.poll()  # what has ended and is not collected counts as left
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return False
        return True

    def _told(self) -> Ports | None:
        found = _TOLD.findall(self._log.read_bytes())
        return Ports(int(found[0]), int(found[1])) if len(found) > 1 else None

    def _is_available(self, ports: Ports) -> bool:
        with (
            GrpcClient(f"{HOST}:{ports.grpc}", self._model, timeout=_ANSWER, retries=0) as grpc,
            RestClient(f"http://{HOST}:{ports.rest}", self._model, timeout=_ANSWER, retries=0) as rest,
        ):
            try:
                states = grpc.status()
                served = all(any(one.get("state") == "AVAILABLE" for one in found) for found in (states, rest.status()))
            except ServingError:  # it does not answer yet
                return False
        if states and all(one.get("state") == "END" for one in states):
            raise _unloadable(self._model, states[0].get("status", {}))
        return served

    def _last_lines(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").strip().splitlines()[-_LINES:])


def _unloadable(model: str, status: Mapping[str, object]) -> ServingError:
    return ServingError(
        "The model server cannot load the model.",
        where=model,
        received=f"{status.get('error_code', '')}: {status.get('error_message', '')}",
        fix="What it says is of the SavedModel: see what run_fn exports.",
    )
