"""`scalable-tf` in processes that start at once: forked from one that has imported everything and done nothing."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
_POLL_SECONDS = 0.02

_SERVER = """
import contextlib, importlib, json, os, signal, sys
# What runs in a shell's background ignores it, and so does all that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ["TF_USE_LEGACY_KERAS"] = "1"
from runners import cli
for name in sys.argv[1:]:
    importlib.import_module(name)
ended = {}  # pid: status; None: it goes on
for line in sys.stdin:
    order = json.loads(line)
    if "look" in order:
        pid = order["look"]
        if ended[pid] is None and (found := os.waitpid(pid, os.WNOHANG))[0]:
            ended[pid] = found[1]
        print(order["number"], "running" if ended[pid] is None else ended[pid], flush=True)
        continue
    pid = os.fork()
    if pid == 0:
        os.setsid()
        for number, path in enumerate(order["output"], start=1):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.environ.update(order["environment"])
        code = 1
        try:
            code = cli.main(order["argv"])
        except SystemExit as end:
            code = end.code
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    ended[pid] = None
    print(order["number"], pid, flush=True)
for pid in (pid for pid, status in ended.items() if status is None):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
"""


@dataclass
class Command:
    """One command line that was started.

    Attributes:
        pid: its process.
        stdout: file with what it printed.
        stderr: file with its messages.
    """

    server: CommandServer
    pid: int
    stdout: Path
    stderr: Path
    _status: int | None = field(default=None, init=False)

    def wait(self) -> int:
        """Its exit code; the negative number of the signal that killed it."""
        while self._status is None:
            if (status := self.server.ask({"look": self.pid})) == "running":
                time.sleep(_POLL_SECONDS)
                continue
            self._status = int(status)
        return os.waitstatus_to_exitcode(self._status)

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def children(self) -> list[int]:
        """Processes that it has started and that have not ended."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    @property
    def text(self) -> str:
        return self.stdout.read_text() + self.stderr.read_text()


class CommandServer:
    """Starts command lines.

    A test that is ended while it waits leaves it in order: it never waits itself, and an answer that nobody has read is
    passed over. What is still going on when it is closed is killed.

    Args:
        folder: for their output.
        modules: what the commands import, and with it the libraries.
    """

    def __init__(
        self, folder: Path, modules: Sequence[str] = ("runners.local", "runners.partial_run", "runners.report")
    ) -> None:
        self._folder = folder
        self._number = self._orders = 0
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVER, *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def start(self, argv: Sequence[str], **environment: str) -> Command:
        """Starts `scalable-tf` with these arguments."""
        self._number += 1
        output = [self._folder / f"{self._number}.{name}" for name in ("out", "err")]
        order = {"argv": list(argv), "output": [str(path) for path in output], "environment": environment}
        return Command(self, int(self.ask(order)), *output)

    def run(self, argv: Sequence[str], **environment: str) -> Command:
        """Starts it and waits for its end."""
        command = self.start(argv, **environment)
        command.wait()
        return command

    def ask(self, order: Mapping[str, object]) -> str:
        """The answer to an order, which gets a number that comes back with it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._orders += 1
            print(json.dumps({**order, "number": self._orders}), file=self._process.stdin, flush=True)
            while line := self._process.stdout.readline():
                number, _, answer = line.strip().partition(" ")
                if int(number) == self._orders:
                    return answer
        raise RuntimeError("What starts the commands has ended.")

    def close(self) -> None:
        assert self._process.stdin is not None
        with self._process:
            self._process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
            self._process.kill()


def is_gone(pid: int) -> bool:
    """Whether a process has ended, be it as a zombie that nobody has waited for."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state in "ZX"


def wait_until_gone(pids: Sequence[int], seconds: float = 30.0) -> list[int]:
    """Waits until processes have ended; gives those that have not."""
    deadline = time.monotonic() + seconds
    while (left := [pid for pid in pids if not is_gone(pid)]) and time.monotonic() < deadline:
        time.sleep(0.01)
    return left
