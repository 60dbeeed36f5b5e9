"""What builds images and runs commands in them: Docker where its engine answers, else buildah as root."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from typing import Dict, Iterator, List, NamedTuple, Optional

from setup_error import SetupError
from uv_tool import INDEX, index_url

from deploy.base_root import ensure_base

NAME = "localhost/scalable-tensorflow"
BUILD_ARGUMENTS = ("DEBIAN_MIRROR", "DEBIAN_SECURITY_MIRROR", "VERSION", "REVISION")
# Docker's client does not pass these on by itself, unless its configuration says so; buildah does.
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
_EITHER = "start a Docker engine, or as root on Debian or Ubuntu: apt-get install -y buildah debootstrap"


class Mount(NamedTuple):
    """A folder of this machine that a container may read.

    Attributes:
        source: the folder.
        target: where it is in the container.
    """

    source: str
    target: str


class Docker:
    """A Docker engine, with BuildKit."""

    name = "docker"

    def __init__(self, environ: Dict[str, str]) -> None:
        self._environ = {**environ, "DOCKER_BUILDKIT": "1"}

    def store(self) -> Optional[str]:
        """The folder that images are kept in; None when it is on another machine."""
        done = subprocess.run(
            ["docker", "info", "--format", "{{.DockerRootDir}}"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        folder = done.stdout.decode().strip()
        return folder if os.path.isdir(folder) else None

    def has(self, target: str) -> bool:
        """Whether a stage was built before."""
        return _quiet("docker", "image", "inspect", f"{NAME}:{target}")

    def build(self, root: str, target: str) -> None:
        """Builds a stage of the Dockerfile.

        Args:
            root: the project's folder.
            target: name of the stage; the image's tag is the same.

        Raises:
            SetupError: it could not be built.
        """
        arguments = [f"--build-arg={name}={self._environ[name]}" for name in PROXIES if self._environ.get(name)]
        if self._environ.get("IMAGE_BASE"):
            arguments.append(f"--build-arg=BASE={self._environ['IMAGE_BASE']}")
        with _secrets(self._environ) as secrets:
            options = [*_build_options(self._environ, target), *secrets, *arguments]
            _build(["docker", "build", *options, "."], root, self._environ)

    def run(self, target: str, command: List[str], user: str, mounts: List[Mount], variables: Dict[str, str]) -> int:
        """Runs a command in a new container, and gives its exit code."""
        options = [f"--volume={mount.source}:{mount.target}:ro" for mount in mounts]
        options += [f"--env={name}={value}" for name, value in variables.items()]
        image = ["--entrypoint", command[0], f"{NAME}:{target}", *command[1:]]
        return subprocess.run(["docker", "run", "--rm", "--init", "--user", user, *options, *image]).returncode

    def save(self, target: str, archive: str) -> None:
        """Writes an image as an archive that `docker load` reads."""
        subprocess.run(["docker", "save", "--output", archive, f"{NAME}:{target}"], check=True)


class Buildah:
    """buildah without an engine: its containers are changed roots, on this machine's network."""

    name = "buildah"
    # No namespaces and no cgroups, which a machine without an engine may not allow. The limit on open files is
    # given, as the default is more than a machine with a lower one can raise.
    _ISOLATION = ("--isolation=chroot",)
    _BUILD = ("--network=host", "--ulimit=nofile=1024:1024", "--layers")

    def __init__(self, environ: Dict[str, str]) -> None:
        self._environ = environ

    def store(self) -> Optional[str]:
        """The folder that images are kept in."""
        done = subprocess.run(["buildah", "info", "--format", "{{.store.GraphRoot}}"], stdout=subprocess.PIPE)
        return done.stdout.decode().strip() or None

    def has(self, target: str) -> bool:
        """Whether a stage was built before."""
        return _quiet("buildah", "inspect", "--type", "image", f"{NAME}:{target}")

    def build(self, root: str, target: str) -> None:
        """Builds a stage of the Dockerfile; arguments and errors as with Docker."""
        base = self._environ.get("IMAGE_BASE") or ensure_base(self._environ)
        # uv's own cache takes the place of the one that the Dockerfile mounts: it outlives buildah's.
        cache = self._environ.get("UV_CACHE_DIR") or os.path.expanduser("~/.cache/uv")
        os.makedirs(cache, exist_ok=True)
        with _secrets(self._environ) as secrets:
            options = [*_build_options(self._environ, target), *secrets, "--build-arg", f"BASE={base}"]
            options += [*self._ISOLATION, *self._BUILD, f"--volume={cache}:/var/cache/uv:rw"]
            _build(["buildah", "build", *options, "."], root, self._environ)

    def run(self, target: str, command: List[str], user: str, mounts: List[Mount], variables: Dict[str, str]) -> int:
        """Runs a command in a new container, and gives its exit code."""
        done = subprocess.run(["buildah", "from", f"{NAME}:{target}"], stdout=subprocess.PIPE, check=True)
        container = done.stdout.decode().strip()
        try:
            options = [f"--volume={mount.source}:{mount.target}:ro" for mount in mounts]
            options += [f"--env={name}={value}" for name, value in variables.items()]
            start = ["buildah", "run", *self._ISOLATION, "--user", user, *options, container, "--", *command]
            return subprocess.run(start).returncode
        finally:
            subprocess.run(["buildah", "rm", container], stdout=subprocess.DEVNULL)

    def save(self, target: str, archive: str) -> None:
        """Writes an image as an archive that `docker load` reads."""
        place = f"docker-archive:{archive}:{NAME}:{target}"
        subprocess.run(["buildah", "push", "--quiet", f"{NAME}:{target}", place], check=True)


def find_engine(environ: Dict[str, str]) -> "Docker | Buildah":
    """The engine that IMAGE_ENGINE names, else Docker if it answers, else buildah.

    Args:
        environ: PATH, IMAGE_ENGINE, and what the build takes from the environment.

    Raises:
        SetupError: there is none that works.
    """
    wanted = environ.get("IMAGE_ENGINE", "")
    if wanted not in ("", "docker", "buildah"):
        raise SetupError("IMAGE_ENGINE names no engine that is known here.", wanted, "docker, buildah, or unset it.")
    path = environ.get("PATH")
    silent = "no docker on PATH"
    if wanted != "buildah" and shutil.which("docker", path=path):
        asked = ["docker", "version", "--format", "{{.Server.Version}}"]
        done = subprocess.run(asked, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if done.returncode == 0:
            return Docker(environ)
        silent = "docker says: " + (done.stderr.decode(errors="replace").strip().splitlines() or ["nothing"])[-1]
    missing = [tool for tool in ("buildah", "debootstrap") if not shutil.which(tool, path=path)]
    if wanted == "docker" or missing:
        received = silent if wanted == "docker" else f"{silent}; no {' and no '.join(missing)} on PATH"
        raise SetupError("An image is built by Docker, or by buildah with debootstrap.", received, _EITHER + ".")
    if os.geteuid() != 0:
        raise SetupError(
            "Without a Docker engine an image is built in a changed root, which only root may do.",
            f"user id {os.geteuid()}; {silent}",
            "start a Docker engine, or call again as root, e.g. sudo -E make image.",
        )
    return Buildah(environ)


def _build_options(environ: Dict[str, str], target: str) -> List[str]:
    options = ["--file", "deploy/Dockerfile", "--target", target, "--tag", f"{NAME}:{target}"]
    for name in BUILD_ARGUMENTS:
        # Only stages that declare one may be given it, or the engine warns.
        if environ.get(name) and (target == "product" or name.startswith("DEBIAN")):
            options += ["--build-arg", f"{name}={environ[name]}"]
    return options


@contextlib.contextmanager
def _secrets(environ: Dict[str, str]) -> Iterator[List[str]]:
    """Options that show the build this machine's certificates and package index, where they are not the usual ones."""
    options = []
    certificates = environ.get("SSL_CERT_FILE") or environ.get("PIP_CERT")
    if certificates and os.path.isfile(certificates):
        options.append(f"--secret=id=ca,src={certificates}")
    with tempfile.NamedTemporaryFile("w", prefix="index-") as file:
        if index_url(environ) != INDEX:
            file.write(index_url(environ))
            file.flush()
            options.append(f"--secret=id=index,src={file.name}")
        yield options


def _quiet(*command: str) -> bool:
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def _build(command: List[str], root: str, environ: Dict[str, str]) -> None:
    code = subprocess.run(command, cwd=root, env=environ, stdin=subprocess.DEVNULL).returncode
    if code:
        raise SetupError(
            "The image could not be built: the lines above say why.",
            f"exit code {code} of {command[0]}",
            "call again when the cause is mended, finished layers are kept. HTTPS_PROXY names a proxy, SSL_CERT_FILE "
            "its certificate, PIP_INDEX_URL and DEBIAN_MIRROR other sources of packages.",
        )
