"""A run in a process of its own: what it loads, leaks or crashes with ends there, and it ends with the scheduler."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from configs.secret import secret_environment
from configs.settings import Settings
from distribution.python_path import python_path
from runners.interrupt import uninterrupted
from runners.job import Job

# Modules are found where the scheduler finds them: in the current directory only if it does.
_START = "import sys; sys.path[:] = filter(None, sys.path); from runners.cli import main; sys.exit(main())"
_CLEARING_SECONDS = 20.0


@dataclass(frozen=True)
class Order:
    """What a child is told, on its stdin.

    Attributes:
        settings: of the pipeline, with the span.
        job: what to do.
        command: how a user would start the same.
        release: folder of a version that is to be measured on what the job's run has ingested; empty: a run is made.
    """

    settings: Settings
    job: Job
    command: str
    release: str = ""

    def write(self, file: IO[str]) -> None:
        """Writes it; passwords are not in it, but in the child's environment."""
        told = {"job": asdict(self.job), "command": self.command, "release": self.release}
        json.dump({"settings": self.settings.dump(), **told}, file)

    @classmethod
    def read(cls, file: IO[str]) -> Order:
        """Reads what `write` wrote."""
        content: dict[str, Any] = json.load(file)
        settings = Settings.model_validate(content.pop("settings"))
        return cls(settings, Job(**content.pop("job")), **content)


def run_in_child(order: Order, log: Path, limit: float | None) -> bool:
    """Makes a run, and waits for its end. What became of it, its record says.

    Args:
        order: what to do.
        log: file that takes what the run prints.
        limit: seconds after which it is ended; None: none.

    Returns:
        Whether it ended by itself.

    Raises:
        OSError: the log cannot be written, or no process be started.
        Interrupted: a signal ended this process; the run was asked to end, and has.
    """
    settings = order.settings
    path = os.pathsep.join([os.getcwd(), python_path()]) if "" in sys.path else python_path()
    environment = {**os.environ, **secret_environment(settings), "PYTHONPATH": path}
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output, contextlib.ExitStack() as started:
        with uninterrupted():
            process = subprocess.Popen(
                [sys.executable, "-u", "-c", _START, "schedule", "job", "--parent", str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,  # a terminal's Ctrl-C is for the scheduler, which passes it on
                text=True,
            )
            started.enter_context(_ended(process, settings.training.cluster.grace_seconds + _CLEARING_SECONDS))
        with contextlib.suppress(BrokenPipeError):  # it has ended already, and its log says why
            if process.stdin is not None:
                order.write(process.stdin)
                process.stdin.close()
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            return False
        return True


@contextlib.contextmanager
def _ended(process: subprocess.Popen[str], grace: float) -> Iterator[None]:
    """Ends what is still there: SIGTERM, by which a run marks itself, and in the end SIGKILL to all of its session."""
    try:
        yield
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(grace)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
