"""One process of a task: logged, limited in time, and ended with this one."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from runners.interrupt import SIGNALS, uninterrupted
from runners.worker import die_with

TIMED_OUT = 124
"""The exit code of a task that ran longer than it may, as timeout(1) gives it."""
NOT_STARTED = 127
_GRACE = 10.0


def run_process(command: Sequence[str], environment: Mapping[str, str], logs: Path, limit: float | None) -> int:
    """Runs it to its end.

    Args:
        command: program and arguments.
        environment: all of its variables.
        logs: folder for stdout.log and stderr.log.
        limit: seconds that it may take; then its group gets SIGTERM, and SIGKILL soon after.

    Returns:
        The exit code; 128 and the signal for one that a signal ended.
    """
    parent = os.getpid()

    def prepare() -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        die_with(parent)

    with open(logs / "stdout.log", "wb") as output, open(logs / "stderr.log", "wb") as errors:
        try:
            with uninterrupted():
                process = subprocess.Popen(
                    command,
                    env=dict(environment),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=errors,
                    start_new_session=True,
                    preexec_fn=prepare,
                )
        except OSError as error:
            errors.write(f"{command[0]}: {error.strerror}\n".encode())
            return NOT_STARTED
        try:
            code = process.wait(limit)
            return 128 - code if code < 0 else code
        except subprocess.TimeoutExpired:
            errors.write(f"\nEnded after {limit:g} s, which is the task's limit.\n".encode())
            return TIMED_OUT
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the group, and what its first process has left behind in it."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
