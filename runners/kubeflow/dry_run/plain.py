"""Tasks as ordinary processes, where this machine allows no namespaces: they see all that this user sees."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from runners.kubeflow.dry_run.place import IMAGE_ENVIRONMENT
from runners.kubeflow.dry_run.pod import Mount


class Plain:
    """Makes the command lines of such processes.

    Paths of volumes are not there, so that their beginnings are replaced in arguments and variables by the folders that
    stand for them: what runs is then no longer exactly what was compiled.
    """

    name = "none"
    mode = 0o755

    def command(
        self, command: Sequence[str], environment: Mapping[str, str], mounts: Sequence[Mount], folder: str
    ) -> tuple[list[str], dict[str, str]]:
        """As `Namespaces.command`."""
        replaced = {name: self._replaced(value, mounts) for name, value in environment.items()}
        path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
        begin = ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", str(self.here(folder, mounts))]
        code = {"PYTHONPATH": str(Path(__file__).resolve().parents[3])}
        return [*begin, *(self._replaced(word, mounts) for word in command)], {
            **IMAGE_ENVIRONMENT,
            "PATH": path,
            **code,
            **replaced,
        }

    def here(self, path: str, mounts: Sequence[Mount]) -> Path:
        """As `Namespaces.here`."""
        return Path(self._replaced(path, mounts))

    def _replaced(self, text: str, mounts: Sequence[Mount]) -> str:
        for mount in sorted(mounts, key=lambda mount: len(mount.target), reverse=True):
            text = text.replace(mount.target, f"\0{mounts.index(mount)}\0")
        for number, mount in enumerate(mounts):  # in a second step: a folder may itself be below a path of another
            text = text.replace(f"\0{number}\0", str(mount.source))
        return text
