"""A task's view of this machine: system folders and the interpreter to read, its volumes, and nothing else.

The task runs in namespaces of its own for mounts and processes: in a root that is put together on a tmpfs, and in a
tree of processes that the kernel ends whole. unshare(1), mount(8) and chroot(8) do it, as root or, where the kernel
lets users do that, as anybody.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from runners.kubeflow.dry_run.place import IMAGE_ENVIRONMENT
from runners.kubeflow.dry_run.pod import Mount

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/sys")
CODE = "/scalable-tensorflow"
"""Where a task sees our packages when they are not installed but run from a checkout."""
FAILED = 125
"""The exit code when the view could not be made, as Docker's for a container that it could not start."""

# Arguments: the new root; how many mounts; three words a mount: source, target, ro or rw; the folder to begin in; the
# command. A mount that cannot be made read only belongs to somebody else anyway, and this user cannot write to it.
_SCRIPT = f"""
fail() {{ echo "the view of the file system: $*" >&2; exit {FAILED}; }}
root=$1 mounts=$2; shift 2
mount -t tmpfs -o mode=755 tmpfs "$root" || fail tmpfs
while [ "$mounts" -gt 0 ]; do
  if [ -d "$1" ]; then mkdir -p "$root$2"; else mkdir -p "$(dirname "$root$2")" && : > "$root$2"; fi || fail "$2"
  mount --rbind "$1" "$root$2" || fail "$2"
  [ "$3" = rw ] || mount -o remount,bind,ro "$root$2" 2>/dev/null
  shift 3; mounts=$((mounts - 1))
done
mkdir -p "$root/proc" "$root/dev"
mount -t proc proc "$root/proc" 2>/dev/null || mount --rbind /proc "$root/proc" || fail /proc
mount --rbind /dev "$root/dev" || fail /dev
chroot "$root" sh -c 'cd "$1" && shift && exec "$@"' sh "$@"
exit $?
"""


class Namespaces:
    """Makes the command lines that run something in such a view.

    Args:
        folder: for the mount points of the roots; empty on the outside.
    """

    name = "namespaces"
    mode = 0o755

    def __init__(self, folder: Path) -> None:
        self._root = folder / "view"
        self._root.mkdir(parents=True, exist_ok=True)
        self._unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        if os.geteuid():
            self._unshare += ["--user", "--map-root-user"]

    def refusal(self) -> str | None:
        """Why this machine does not allow it; None where it does."""
        missing = [tool for tool in ("unshare", "mount", "chroot") if shutil.which(tool, path=_path()) is None]
        if missing:
            return f"no {' and no '.join(missing)} on PATH"
        command, environment = self.command(["true"], {}, [], "/")
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return None if done.returncode == 0 else (done.stderr.strip().splitlines() or ["it is not permitted"])[-1]

    def command(
        self, command: Sequence[str], environment: Mapping[str, str], mounts: Sequence[Mount], folder: str
    ) -> tuple[list[str], dict[str, str]]:
        """The command line, and the whole environment, to run a command with.

        Args:
            command: program and arguments.
            environment: its variables; PATH and what our code needs are added.
            mounts: its volumes; /tmp belongs to them.
            folder: to begin in.
        """
        # A folder before those below it, which it would hide.
        seen = sorted([*_readable(), *mounts], key=lambda mount: Path(mount.target).parts)
        words = [
            word for mount in seen for word in (str(mount.source), mount.target, "ro" if mount.read_only else "rw")
        ]
        script = ["sh", "-c", _SCRIPT, "dry-run", str(self._root), str(len(seen)), *words, folder]
        code = {"PYTHONPATH": CODE} if _checkout() else {}
        return [*self._unshare, *script, *command], {**IMAGE_ENVIRONMENT, "PATH": _path(), **code, **environment}

    def here(self, path: str, mounts: Sequence[Mount]) -> Path:
        """Where this process finds what a task sees at a path below one of its mounts."""
        for mount in sorted(mounts, key=lambda mount: len(mount.target), reverse=True):
            if path == mount.target or path.startswith(mount.target.rstrip("/") + "/"):
                return mount.source / path[len(mount.target) :].lstrip("/")
        return Path(path)


def _path() -> str:
    """The interpreter's own programs first, as in the image."""
    return f"{Path(sys.executable).parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def _readable() -> list[Mount]:
    """System folders, the interpreter with its packages, and the code that this process runs."""
    # Volumes may be mounted below /opt, and must not make folders there.
    folders = [*_SYSTEM, *(str(path) for path in Path("/opt").glob("*"))]
    mounts = [Mount(Path(folder).resolve(), folder, read_only=True) for folder in folders if os.path.exists(folder)]
    if (resolver := Path("/etc/resolv.conf").resolve()).is_relative_to("/run"):
        mounts.append(Mount(resolver, str(resolver), read_only=True))
    prefixes = {sys.prefix, sys.base_prefix, os.path.realpath(sys.prefix), os.path.realpath(sys.base_prefix)}
    # The interpreter of a virtual environment is a link, which may lead elsewhere than to base_prefix.
    prefixes.add(str(Path(os.path.realpath(sys.executable)).parents[1]))
    for prefix in sorted(prefixes):
        if not any(_is_below(prefix, folder) for folder in ("/usr", "/opt")):
            mounts.append(Mount(Path(prefix), prefix, read_only=True))
    return [*mounts, *_checkout()]


def _checkout() -> list[Mount]:
    """Our packages, each by itself, where they are not installed."""
    root = Path(__file__).resolve().parents[3]
    if "site-packages" in root.parts:
        return []
    packages = sorted(file.parent for file in root.glob("*/__init__.py"))
    shown = [package for package in packages if package.name not in ("tests", "benchmarks", "deploy")]
    return [Mount(package, f"{CODE}/{package.name}", read_only=True) for package in shown]


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
