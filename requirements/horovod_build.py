"""Builds Horovod for the TensorFlow in .venv, with gloo and without MPI, and installs it there: `make horovod`.

Horovod is compiled against one TensorFlow. The wheel is kept outside the project, so that the next environment with the
same TensorFlow does not build again; an installed one that loads is left alone. When .venv is brought up to date, the
locks, which do not know Horovod, remove it: call again.
"""

import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
from typing import Dict, Optional

from machine import glibc_version, say
from setup_error import SetupError, exit_code_of

VERSION = "0.28.1"
SHA256 = "92a43f5a94c43907a56805bad15f19700c62ffc83b7ca483f9e104e229f67ef0"
_OPTIONS = {
    "HOROVOD_WITH_TENSORFLOW": "1",
    "HOROVOD_WITH_GLOO": "1",
    "HOROVOD_WITHOUT_MPI": "1",
    "HOROVOD_WITHOUT_PYTORCH": "1",
    "HOROVOD_WITHOUT_MXNET": "1",
    # From g++ 13 on other headers no longer bring it, and Horovod relies on that.
    "CXXFLAGS": "-include stdexcept",
    "MAKEFLAGS": f"-j{os.cpu_count()}",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
_ABOUT = """
import importlib.metadata, importlib.util, json, os, sysconfig
found = importlib.util.find_spec("tensorflow").submodule_search_locations[0]
has_headers = os.path.isdir(os.path.join(found, "include"))
print(json.dumps([importlib.metadata.version("tensorflow"), sysconfig.get_config_var("SOABI"), has_headers]))
"""
_LOADS = "import horovod.tensorflow as hvd; raise SystemExit(not hvd.gloo_built())"
_OTHER_WAY = (
    "training.strategy=multi_worker_mirrored trains in several processes as well, and needs nothing but TensorFlow."
)


def ensure_horovod(python: str, cache: str) -> None:
    """Makes Horovod importable for an interpreter whose environment holds TensorFlow.

    Args:
        python: the interpreter.
        cache: folder for wheels, shared by all environments of this machine.

    Raises:
        SetupError: cmake or a compiler lacks, or Horovod cannot be built for this TensorFlow.
    """
    environ = {**os.environ, **_OPTIONS, "PATH": os.path.dirname(python) + os.pathsep + os.environ.get("PATH", "")}
    if _loads(python, environ):
        say(f"Horovod {VERSION} is there")
        return
    about = subprocess.run([python, "-c", _ABOUT], stdout=subprocess.PIPE, env=environ, check=True).stdout
    tensorflow, abi, has_headers = json.loads(about.decode())
    glibc = ".".join(map(str, glibc_version() or ()))
    folder = os.path.join(cache, f"{VERSION}-tensorflow-{tensorflow}-{abi}-glibc-{glibc}")
    wheel = _wheel(folder)
    if wheel is None:
        _check_build(environ, has_headers)
        wheel = _build(python, environ, folder, tensorflow)
    _pip(python, environ, "install", "--no-deps", "--force-reinstall", wheel)
    if not _loads(python, environ):
        shutil.rmtree(folder)
        raise SetupError("Horovod was built and does not load.", f"{wheel}, which is removed", _OTHER_WAY)
    say(f"Horovod {VERSION} for TensorFlow {tensorflow} is installed")


def _loads(python: str, environ: Dict[str, str]) -> bool:
    done = subprocess.run([python, "-c", _LOADS], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environ)
    return done.returncode == 0


def _wheel(folder: str) -> Optional[str]:
    return next(iter(glob.glob(os.path.join(folder, "horovod-*.whl"))), None)


def _check_build(environ: Dict[str, str], has_headers: bool) -> None:
    missing = [name for name in ("cmake", "g++", "make") if not shutil.which(name, path=environ["PATH"])]
    if missing:
        raise SetupError(
            "Horovod comes as source only.",
            f"no {' and no '.join(missing)} on PATH",
            "apt-get install cmake g++ make (dnf install cmake gcc-c++ make), then call again.",
        )
    if not has_headers:
        raise SetupError("This TensorFlow has no C++ headers to build against.", "no tensorflow/include", _OTHER_WAY)


def _build(python: str, environ: Dict[str, str], folder: str, tensorflow: str) -> str:
    os.makedirs(folder, exist_ok=True)
    log = os.path.join(folder, "build.log")
    say(f"building Horovod {VERSION} for TensorFlow {tensorflow}; 2 to 5 minutes, once. Its log: {log}")
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        pinned = os.path.join(scratch, "horovod.txt")
        with open(pinned, "w") as file:
            file.write(f"horovod=={VERSION} --hash=sha256:{SHA256}\n")
        # It is compiled against this environment's TensorFlow, which an isolated build does not see, and which pip's
        # cache does not tell from others.
        what = [
            "--no-cache-dir",
            "--no-deps",
            "--no-build-isolation",
            "--require-hashes",
            "--no-binary",
            "horovod",
            "-r",
            pinned,
        ]
        try:
            _pip(python, environ, "wheel", "--verbose", *what, "--wheel-dir", scratch, log=log)
        except subprocess.CalledProcessError as error:
            raise SetupError(
                f"Horovod {VERSION} cannot be built for TensorFlow {tensorflow} here.", f"see {log}", _OTHER_WAY
            ) from error
        built = _wheel(scratch)
        if built is None:
            raise SetupError("Horovod's build gave no wheel.", f"see {log}", _OTHER_WAY)
        finished = os.path.join(folder, os.path.basename(built))
        os.replace(built, finished)
    return finished


def _pip(python: str, environ: Dict[str, str], command: str, *arguments: str, log: str = os.devnull) -> None:
    pip = [python, "-m", "pip", command, "--disable-pip-version-check", *arguments]
    with open(log, "w") as file:
        subprocess.run(pip, env=environ, stdin=subprocess.DEVNULL, stdout=file, stderr=file, check=True)


if __name__ == "__main__":
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    own_python = os.path.join(root, ".venv", "bin", "python")
    kept = os.path.join(os.path.expanduser("~"), ".cache", "scalable-tensorflow", "horovod")
    sys.exit(exit_code_of(lambda: ensure_horovod(own_python, kept)))
