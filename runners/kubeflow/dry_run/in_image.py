"""Tasks in an image of this machine, by Docker, Podman or buildah."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from runners.kubeflow.dry_run.pod import Mount
from schemas.errors import SetupError

ENGINES = ("docker", "podman", "buildah")


class InImage:
    """Makes the command lines that run something in a container.

    Args:
        image: as the engine knows it.
        engine: one of `ENGINES`; None takes the first that has the image.

    Raises:
        SetupError: no engine has it.
    """

    mode = 0o777  # the image's user is another

    def __init__(self, image: str, engine: str | None = None) -> None:
        self._image = image
        found = [name for name in ([engine] if engine else ENGINES) if shutil.which(name) and _has(name, image)]
        if not found:
            raise SetupError(
                "The image is not on this machine.",
                where="--in-image",
                received=f"{image}; asked: {engine or ', '.join(ENGINES)}",
                fix="Build it with `make image`, or pull it with that engine.",
            )
        self._engine = found[0]
        self.name = f"{self._engine}, image {image}"
        self._container = self._output("buildah", "from", image) if self._engine == "buildah" else None

    def command(
        self, command: Sequence[str], environment: Mapping[str, str], mounts: Sequence[Mount], folder: str
    ) -> tuple[list[str], dict[str, str]]:
        """As `Namespaces.command`; the variables come in addition to the image's."""
        volumes = [f"--volume={mount.source}:{mount.target}:{'ro' if mount.read_only else 'rw'}" for mount in mounts]
        # By name only: a value on the command line could be read by every user of this machine.
        names = [word for name in environment for word in ("--env", name)]
        if self._container:
            # buildah takes no variable by its name alone.
            values = [f"--env={name}={value}" for name, value in environment.items()]
            options = ["--isolation", "chroot", "--workingdir", folder, *volumes, *values]
            return ["buildah", "run", *options, self._container, "--", *command], _engines_own()
        options = ["--rm", "--init", "--network", "host", "--workdir", folder, *volumes, *names]
        run = [self._engine, "run", *options, "--entrypoint", command[0], self._image, *command[1:]]
        return run, {**environment, **_engines_own()}

    def here(self, path: str, mounts: Sequence[Mount]) -> Path:
        """As `Namespaces.here`."""
        for mount in sorted(mounts, key=lambda mount: len(mount.target), reverse=True):
            if path == mount.target or path.startswith(mount.target.rstrip("/") + "/"):
                return mount.source / path[len(mount.target) :].lstrip("/")
        return Path(path)

    def close(self) -> None:
        """Removes what was made for it."""
        if self._container:
            subprocess.run(["buildah", "rm", self._container], stdout=subprocess.DEVNULL, check=False)

    def _output(self, *command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            received = done.stderr.strip()
            raise SetupError("The container cannot be made.", where="--in-image", received=received, fix="See above.")
        return done.stdout.strip()


def _has(engine: str, image: str) -> bool:
    kind = ["inspect", "--type", "image"] if engine == "buildah" else ["image", "inspect"]
    return subprocess.run([engine, *kind, image], capture_output=True).returncode == 0


def _engines_own() -> dict[str, str]:
    import os

    return {
        name: value for name in ("PATH", "HOME", "DOCKER_HOST", "XDG_RUNTIME_DIR") if (value := os.environ.get(name))
    }
