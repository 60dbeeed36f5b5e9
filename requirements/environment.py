"""Makes .venv equal to the locks, once: hash-checked, byte-compiled, with this project in it."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from typing import Dict, Iterator, List

from interpreter import find_interpreter, probe
from machine import Stack, check_compiler, check_disk, say, stack_of_this_machine
from setup_error import SetupError
from uv_tool import environment_for_uv, get_uv

_UNFINISHED = "unfinished\n"


def _stamp_path(root: str) -> str:
    return os.path.join(root, ".venv", "set-up")


def _python(root: str) -> str:
    return os.path.join(root, ".venv", "bin", "python")


def _stamp(root: str, stack: Stack) -> str:
    """What .venv was made from; when it is no longer the same, .venv is brought up to date."""
    digest = hashlib.sha256()
    for name in (
        f"requirements/{stack.name}-dev.txt",
        "requirements/build.txt",
        "requirements/environment.py",
        "setup.py",
        "configs/version.py",
    ):
        with open(os.path.join(root, name), "rb") as file:
            digest.update(file.read())
    # The commands in .venv/bin hold the absolute path of the environment, and it links to its interpreter.
    return f"{stack.name}\n{digest.hexdigest()}\n{root}\n{os.path.realpath(_python(root))}\n"


def _written_stamp(root: str) -> str:
    try:
        with open(_stamp_path(root)) as file:
            return file.read()
    except OSError:
        return ""


def is_ready(root: str, stack: Stack) -> bool:
    """Whether .venv is what the locks say, as far as a look at its stamp tells."""
    return os.access(_python(root), os.X_OK) and _written_stamp(root) == _stamp(root, stack)


def ensure_environment(root: str) -> None:
    """Makes or updates .venv in the project's folder.

    Raises:
        SetupError: the machine lacks something.
    """
    stack = stack_of_this_machine()
    if is_ready(root, stack):
        return
    with _one_at_a_time(root):
        if not is_ready(root, stack):
            _install(root, stack, environment_for_uv(dict(os.environ)))


@contextlib.contextmanager
def _one_at_a_time(root: str) -> Iterator[None]:
    # The kernel drops the lock with its holder, however that ends.
    with open(os.path.join(root, "requirements", "bootstrap.py"), "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("another set-up is running here; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install(root: str, stack: Stack, environ: Dict[str, str]) -> None:
    place = os.path.join(root, ".venv")
    reusable = _is_reusable(root, stack)
    if not reusable:
        check_compiler()
        _remove(place)
        check_disk(root, environ.get("UV_CACHE_DIR") or os.path.expanduser("~/.cache/uv"))
    uv = get_uv(os.path.join(root, ".cache"), environ)
    if reusable:
        say(f"bringing .venv up to date ({stack.name})")
    else:
        interpreter = find_interpreter(stack, uv, environ)
        say(f"making .venv: {stack.name} on Python {interpreter.version}, {interpreter.path}; 1 to 10 minutes, once")
        _run(environ, [uv, "venv", "--quiet", "--no-project", "--python", interpreter.path, place])
    # While this stands, the packages may be half there.
    with open(_stamp_path(root), "w") as file:
        file.write(_UNFINISHED)
    locks = os.path.join(root, "requirements")
    into = ["--python", _python(root)]
    exactly = ["--require-hashes", "--build-constraint", os.path.join(locks, "build.txt")]
    lock = os.path.join(locks, f"{stack.name}-dev.txt")
    _run(environ, [uv, "pip", "sync", *into, *exactly, "--compile-bytecode", lock])
    os.remove(_stamp_path(root))
    _run(environ, [uv, "pip", "install", *into, "--no-deps", "--no-build-isolation", "--editable", root])
    temporary = _stamp_path(root) + ".new"
    with open(temporary, "w") as file:
        file.write(_stamp(root, stack))
    os.replace(temporary, _stamp_path(root))
    say("done")


def _is_reusable(root: str, stack: Stack) -> bool:
    """Whether packages can be added to and taken from the .venv that is there, rather than beginning anew."""
    if not os.path.isfile(os.path.join(root, ".venv", "pyvenv.cfg")) or _written_stamp(root) == _UNFINISHED:
        return False
    found = probe(_python(root))
    return found is not None and found.version in stack.pythons


def _remove(place: str) -> None:
    if not os.path.lexists(place):
        return
    if os.path.islink(place) or not os.path.isfile(os.path.join(place, "pyvenv.cfg")):
        raise SetupError(
            "The environment has no place to go.", f"{place}, which is not a virtual environment", "move it away."
        )
    say("removing the .venv that is there: it is for another stack, broken or unfinished")
    shutil.rmtree(place)


def _run(environ: Dict[str, str], command: List[str]) -> None:
    process = subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    with process:
        for line in process.stderr or ():
            # How far it is and what goes wrong is shown; the list of packages would only repeat the lock.
            if not line.startswith((b" + ", b" - ", b" ~ ")):
                sys.stderr.write("  " + line.decode(errors="replace"))
                sys.stderr.flush()
    if process.returncode:
        raise SetupError(
            "The packages could not be installed: uv's lines above say why.",
            f"exit code {process.returncode} of {' '.join(command[1:3])}",
            "call again when the cause is mended, nothing is downloaded twice. For a time-out or an unreachable index: "
            "PIP_INDEX_URL names another one, HTTPS_PROXY a proxy, SSL_CERT_FILE its certificate.",
        )
