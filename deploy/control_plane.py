"""Builds a Kubernetes control plane for the tests: `make kubernetes`. Standard library only, as the set-up's modules.

kube-apiserver, kube-controller-manager, kube-scheduler and kubectl come from the Go module proxy, checked against Go's
checksum database; etcd is Debian's. They go to a cache outside of the project, and are built once for each version.
"""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from typing import Dict, List, Tuple

from machine import say
from setup_error import SetupError, exit_code_of

from deploy.base_root import cache_folder

VERSION = "1.31.4"
PROGRAMS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
# The oldest that this version compiles with.
_GO = (1, 22)
# The modules' sources, what the compiler keeps, and the programs.
_NEEDED_BYTES = 6 * 1000**3


def control_plane_folder(environ: Dict[str, str]) -> str:
    """Where the programs are, or will be.

    Args:
        environ: XDG_CACHE_HOME.
    """
    return os.path.join(cache_folder(environ), "kubernetes", VERSION)


def is_built(folder: str) -> bool:
    """Whether all programs are in a folder."""
    return all(os.access(os.path.join(folder, program), os.X_OK) for program in PROGRAMS)


def build_control_plane(environ: Dict[str, str]) -> None:
    """Builds what is not there yet.

    Args:
        environ: PATH, XDG_CACHE_HOME, and what Go reads: GOPROXY, GOFLAGS, HTTPS_PROXY.

    Raises:
        SetupError: Go or the disk does not do, or the modules could not be had.
    """
    folder = control_plane_folder(environ)
    if is_built(folder):
        say(f"the control plane of Kubernetes {VERSION} is in {folder}")
    else:
        parent = os.path.dirname(folder)
        os.makedirs(parent, exist_ok=True)
        # The kernel drops the lock with its holder, however that ends.
        with open(os.path.join(parent, "lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not is_built(folder):
                _check_go(environ)
                _check_disk(parent)
                _build(folder, environ)
    missing = missing_tools(environ)
    if missing:
        say(f"the tests also need {' and '.join(missing)}; on Debian: apt-get install etcd-server iproute2")


def missing_tools(environ: Dict[str, str]) -> List[str]:
    """What the test cluster needs besides, and is not on PATH."""
    path = f"{environ.get('PATH', '')}:/usr/sbin:/sbin"
    return [tool for tool in ("etcd", "ip") if not shutil.which(tool, path=path)]


def _check_go(environ: Dict[str, str]) -> None:
    fix = f"install Go {_GO[0]}.{_GO[1]} or newer, https://go.dev/dl/, and put it on PATH."
    if not shutil.which("go", path=environ.get("PATH")):
        raise SetupError("The control plane of Kubernetes is compiled by Go.", "no go on PATH", fix)
    said = subprocess.run(["go", "env", "GOVERSION"], env=environ, stdout=subprocess.PIPE).stdout.decode().strip()
    found = re.match(r"go(\d+)\.(\d+)", said)
    if found is None or tuple(map(int, found.groups())) < _GO:
        raise SetupError(f"Kubernetes {VERSION} needs Go {_GO[0]}.{_GO[1]}.", said or "no version", fix)


def _check_disk(folder: str) -> None:
    free = shutil.disk_usage(folder).free
    if free < _NEEDED_BYTES:
        raise SetupError(
            f"Compiling Kubernetes needs {_NEEDED_BYTES / 1e9:.0f} GB of disk.",
            f"{free / 1e9:.1f} GB free at {folder}",
            "free some; GOCACHE and GOMODCACHE name other places for what Go keeps.",
        )


def _build(folder: str, environ: Dict[str, str]) -> None:
    begin = time.monotonic()
    say(f"building the control plane of Kubernetes {VERSION}; about 10 minutes on two cores, once")
    with tempfile.TemporaryDirectory(dir=os.path.dirname(folder)) as scratch:
        module, made = os.path.join(scratch, "module"), os.path.join(scratch, "made")
        os.makedirs(module)
        with open(os.path.join(module, "go.mod"), "w") as file:
            file.write(f"module control-plane\n\ngo {_GO[0]}.{_GO[1]}\n\nrequire k8s.io/kubernetes v{VERSION}\n")
        for name, version in _staging_modules(module, environ):
            _go(["mod", "edit", f"-replace={name}={name}@{version}"], module, environ)
        stamp = f"-X k8s.io/component-base/version.gitVersion=v{VERSION}"
        packages = [f"k8s.io/kubernetes/cmd/{program}" for program in PROGRAMS]
        options = ["-mod=mod", "-trimpath", "-ldflags", f"-s -w {stamp}", "-o", made + os.sep]
        _go(["build", *options, *packages], module, environ)
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(made, folder)
    say(f"built {folder} in {time.monotonic() - begin:.0f} s")


def _staging_modules(module: str, environ: Dict[str, str]) -> List[Tuple[str, str]]:
    """Modules that Kubernetes' own go.mod takes from its source tree, and the version that they are published as."""
    said = _go(["mod", "download", "-json", f"k8s.io/kubernetes@v{VERSION}"], module, environ)
    with open(json.loads(said)["GoMod"]) as file:
        names = re.findall(r"^\s*(k8s\.io/[a-z0-9-]+) => \./staging", file.read(), re.MULTILINE)
    return [(name, "v0" + VERSION[VERSION.index(".") :]) for name in names]


def _go(arguments: List[str], folder: str, environ: Dict[str, str]) -> str:
    done = subprocess.run(["go", *arguments], cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        told = [line for line in lines if not line.startswith("go: downloading")] or done.stdout.decode().splitlines()
        raise SetupError(
            f"go {arguments[0]} failed.",
            " | ".join(told[-3:]) or f"exit code {done.returncode}",
            "if the network is the cause, GOPROXY names another proxy of modules, HTTPS_PROXY one of the network. "
            "Call again when it is mended, nothing is downloaded or compiled twice.",
        )
    return done.stdout.decode()


if __name__ == "__main__":
    sys.exit(exit_code_of(lambda: build_control_plane(dict(os.environ))))
