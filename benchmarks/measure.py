"""One command, measured from outside: wall time, processor time, and the peak memory of all its processes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from schemas.errors import RunError

_PROC = Path("/proc")
_LOG_TAIL = 15
_PATIENCE = 10.0  # seconds, for processes that have been killed to go
_MEBIBYTE = 1024.0  # in the kibibytes that Linux counts in


@dataclass(frozen=True)
class Measurement:
    """What one command took.

    Attributes:
        seconds: wall time from the start of the process to its exit.
        cpu_seconds: processor time of all processes that were waited for, user and system; steadier than wall time on a
            machine that others use too.
        peak_mb: MiB; the larger of two numbers. First, the memory of all processes of the command at one moment,
            sampled: the sum of their proportional set sizes, so that pages that forked processes share count once.
            Second, the kernel's own exact maximum of the largest single process, which no sampling can miss.
        samples: of the first number, each with its time in seconds since 1970.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float
    samples: tuple[tuple[float, float], ...] = field(default=(), repr=False)


def measure(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    log: Path,
    interval: float = 0.2,
) -> Measurement:
    """Runs a command to its end and says what it took.

    The calling process must be small: Linux starts a child's maximum at the size of the process that it came from.

    Args:
        command: program and arguments.
        cwd: the command's working directory.
        environment: all of the command's environment.
        log: file that takes its stdout and stderr.
        interval: seconds between two samples of memory.

    Raises:
        RunError: the command ended with another exit code than 0; the message holds the end of its log.
    """
    with log.open("wb") as output:
        started = time.monotonic()
        # A session of its own: its id finds every descendant, also one whose parent is gone.
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        sampler = _Sampler(process.pid, interval)
        try:
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - started
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            sampler.stop()
            _kill_session(process.pid)
    if process.returncode != 0:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        raise RunError(
            "The measured command failed; the end of its output:\n" + "\n".join(lines[-_LOG_TAIL:]),
            where=" ".join(str(part) for part in command),
            received=f"exit code {process.returncode}",
            fix=f"See {log}",
        )
    peak = max(sampler.peak, usage.ru_maxrss / _MEBIBYTE)
    return Measurement(seconds, usage.ru_utime + usage.ru_stime, peak, tuple(sampler.samples))


class _Sampler(threading.Thread):
    """Samples the memory of a session, in MiB, until it is stopped."""

    def __init__(self, session: int, interval: float) -> None:
        super().__init__(daemon=True)
        self.samples: list[tuple[float, float]] = []
        self._session = session
        self._interval = interval
        self._stopped = threading.Event()
        self.start()

    def run(self) -> None:
        """Samples, at least once."""
        while True:
            together = sum(_proportional_set_size(pid) for pid in _members(self._session))
            self.samples.append((time.time(), together / _MEBIBYTE))
            if self._stopped.wait(self._interval):
                return

    @property
    def peak(self) -> float:
        """The largest sample."""
        return max(mb for _, mb in self.samples)

    def stop(self) -> None:
        """Ends the sampling."""
        self._stopped.set()
        self.join()


def _members(session: int) -> list[int]:
    """Ids of the living processes of a session."""
    found = []
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):  # it may end while it is looked at
                # The name in field 2 may hold spaces and parentheses; after it come state, parent, group, session.
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                if fields[0] != "Z" and int(fields[3]) == session:
                    found.append(int(folder.name))
    return found


def _proportional_set_size(pid: int) -> int:
    """KiB of a process: its own pages, and its share of the pages that it shares; 0 once it has ended."""
    with contextlib.suppress(OSError):
        for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def _kill_session(session: int) -> None:
    """Ends what a command left behind, so that it does not run beside the next one."""
    deadline = time.monotonic() + _PATIENCE
    while (left := _members(session)) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
