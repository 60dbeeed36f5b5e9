"""A pod's one container: a process in namespaces of its own, with a host name, an address, mounts and a log."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.integration.cluster import namespaces, network

# Until the network is there, the command waits. /run is the container's own, so that there is a place for its secrets.
_SET_UP = """
set -eu
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
{binds}
hostname {hostname}
echo ready
read -r go
exec 3<&- < /dev/null {redirect}
exec "$@"
"""


class PodProcess:
    """Runs a command as process 1 of a new set of namespaces.

    Args:
        folder: of the pod.
        command: what runs.
        environment: all of its variables.
        hostname: of the pod.
        address: of the pod, with the length of the prefix.
        binds: source, target, read only.

    Raises:
        OSError: it cannot be set up.
    """

    def __init__(
        self,
        folder: Path,
        command: Sequence[str],
        environment: Mapping[str, str],
        hostname: str,
        address: str,
        binds: Sequence[tuple[str, str, bool]],
    ) -> None:
        self.log = folder / "log"
        self.log.touch()
        lines = []
        for source, target, read_only in binds:
            if target.startswith(("/run/", "/var/run/")):
                lines.append(f"mkdir -p {shlex.quote(target)}")
            lines.append(f"mount --bind {'-o ro ' if read_only else ''}{shlex.quote(source)} {shlex.quote(target)}")
        script = _SET_UP.format(
            binds="\n".join(lines), hostname=shlex.quote(hostname), redirect=f">> {shlex.quote(str(self.log))} 2>&1"
        )
        # The kernel ends it with the node.
        whole = ["setpriv", "--pdeathsig", "KILL", sys.executable, namespaces.__file__, script, *command]
        self._process = subprocess.Popen(
            whole,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if said != b"ready\n":
            raise OSError((said + self._process.stdout.read()).decode().strip())
        network.connect_pod(self._process.pid, address)
        self._process.stdin.write(b"go\n")
        self._process.stdin.close()
        self._process.stdout.close()
        self._waiting = threading.Lock()

    def wait(self) -> int:
        """Its exit code as a container runtime gives it: 128 and the signal where one killed it."""
        with self._waiting:
            return self._process.wait()

    def running(self) -> bool:
        return self._process.returncode is None

    def signal(self, number: signal.Signals) -> None:
        """To process 1 of the pod, not to the one that waits for it."""
        for child in self._children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, number)

    @property
    def pid(self) -> int:
        """Of the process whose network namespace is the pod's."""
        return self._process.pid

    def _children(self) -> list[int]:
        try:
            return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            return []
