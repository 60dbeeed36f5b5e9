"""What this machine can run: the platform, the stack that its C library allows, the compiler, the disk."""

import os
import platform
import shutil
import sys
from typing import NamedTuple, Optional, Tuple

from setup_error import SetupError

# An environment takes 3.4 GB, byte code included; uv's cache shares the files with it when both are on one disk.
NEEDED_BYTES = 4 * 1000**3


class Stack(NamedTuple):
    """A set of versions that work together.

    Attributes:
        name: its locks are requirements/<name>.txt (product) and requirements/<name>-dev.txt (with tests and checks).
        glibc: the oldest C library that its wheels accept.
        pythons: the interpreters it works on, best first.
        resolution: uv's options under which its locks are resolved.
    """

    name: str
    glibc: Tuple[int, int]
    pythons: Tuple[str, ...]
    resolution: Tuple[str, ...]


TFX_1_21 = Stack(
    "tfx-1.21",
    (2, 39),
    ("3.13", "3.12", "3.11"),
    ("--universal", "--python-version", "3.11", "--exclude-newer", "2026-11-20"),
)
# Beam releases after this date no longer bring what tfx-bsl 1.16 imports.
TFX_1_16 = Stack(
    "tfx-1.16",
    (2, 28),
    ("3.10",),
    ("--python-version", "3.10", "--python-platform", "x86_64-manylinux_2_28", "--exclude-newer", "2025-02-01"),
)
STACKS = (TFX_1_21, TFX_1_16)


def glibc_version() -> Optional[Tuple[int, int]]:
    """Version of the C library that this process runs on; None when it is not glibc."""
    try:
        name, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").split()
    except (AttributeError, OSError, ValueError):
        return None
    major, minor = version.split(".")[:2]
    return (int(major), int(minor)) if name == "glibc" else None


def choose_stack(system: str, architecture: str, glibc: Optional[Tuple[int, int]]) -> Stack:
    """The newest stack whose wheels run here.

    Args:
        system: as `platform.system()` gives it.
        architecture: as `platform.machine()` gives it.
        glibc: as `glibc_version()` gives it.

    Raises:
        SetupError: there is none.
    """
    where_it_runs = "use Debian 11 or newer, Ubuntu 20.04 or newer, or a container of one, on x86-64."
    if system != "Linux" or architecture != "x86_64":
        raise SetupError("TFX has packages for Linux on x86-64 only.", f"{system} on {architecture}", where_it_runs)
    if glibc is None:
        raise SetupError("TFX's packages need the GNU C library.", "another C library, such as musl", where_it_runs)
    for stack in STACKS:
        if glibc >= stack.glibc:
            return stack
    oldest = ".".join(map(str, STACKS[-1].glibc))
    raise SetupError(f"TFX's packages need glibc {oldest} or newer.", f"glibc {glibc[0]}.{glibc[1]}", where_it_runs)


def stack_of_this_machine() -> Stack:
    """`choose_stack` for the machine that this process runs on."""
    return choose_stack(platform.system(), platform.machine(), glibc_version())


def check_compiler() -> None:
    """Some packages (pyfarmhash, crcmod) have no wheel and are compiled at installation.

    Raises:
        SetupError: there is no C++ compiler.
    """
    if not (shutil.which("g++") and shutil.which("gcc")):
        raise SetupError(
            "A C++ compiler is needed: pyfarmhash, which TFX depends on, comes as source only.",
            "no gcc and g++ on PATH",
            "apt-get install g++ python3-dev (dnf install gcc-c++ python3-devel), then call again.",
        )


def check_disk(root: str, cache: str) -> None:
    """The environment, and the packages' files in uv's cache, must fit.

    Args:
        root: the folder that .venv is made in.
        cache: uv's cache folder.

    Raises:
        SetupError: they do not.
    """
    for path in (root, cache):
        while not os.path.isdir(path):
            path = os.path.dirname(path)
        free = shutil.disk_usage(path).free
        if free < NEEDED_BYTES:
            raise SetupError(
                f"The environment needs {NEEDED_BYTES / 1e9:.0f} GB of disk.",
                f"{free / 1e9:.1f} GB free at {path}",
                "free some, or move uv's cache to another disk with UV_CACHE_DIR.",
            )


def say(text: str) -> None:
    """One line about what the set-up is doing."""
    print(f"set-up: {text}", file=sys.stderr, flush=True)
