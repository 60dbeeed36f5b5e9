"""What on this machine would stop a run: `scalable-tf doctor`.

What can fail without TensorFlow is looked at in this process; what needs TensorFlow, Beam or ML Metadata is tried in
processes of their own (`runners.probe`), so that one that crashes or hangs is a finding and not the end of the doctor.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from configs.paths import resolve
from configs.secret import secret_environment
from configs.settings import Settings
from runners.locked_versions import STACKS, compare_with_lock

NEEDED_BYTES = 2 * 1000**3
PROBE_SECONDS = 120
_WIDTH = len("metadata store")  # the longest name
REINSTALL = "rm -rf .venv && make setup"
# What each process of runners.probe is about, and the remedy when it dies.
PROBES = {
    "tensorflow": ("TensorFlow", REINSTALL),
    "beam": ("Beam", REINSTALL),
    "metadata": (
        "metadata store",
        "move the store away and the next run makes a new one, or name another in metadata.url",
    ),
}


@dataclass(frozen=True)
class Check:
    """One finding.

    Attributes:
        name: what was looked at.
        ok: whether a run can count on it.
        detail: what was found.
        remedy: what to do when it is not ok.
    """

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def run_checks(settings: Settings | None = None, engine: str | None = None) -> Iterator[Check]:
    """Looks at the machine and, when settings are given, at their store and folders; what takes long comes last.

    Args:
        settings: whose `output_dir` and metadata store to look at; default: the current folder and a new store.
        engine: kind to try; default: that of the settings.
    """
    with ThreadPoolExecutor() as pool:
        probes = [pool.submit(_probe, name, settings, engine or "") for name in PROBES]
        yield _interpreter()
        yield _packages()
        yield _write_access(settings)
        yield _disk(settings)
        for probe in probes:
            yield from probe.result()


def report(checks: Iterable[Check]) -> int:
    """Prints one line a check, with the remedy under a problem; the exit code: 0 when all is well, else 1."""
    is_well = True
    for check in checks:
        is_well &= check.ok
        print(f"{'ok' if check.ok else 'problem':9}{check.name:{_WIDTH}}  {check.detail}", flush=True)
        if not check.ok:
            print(f"{'':9}{'':{_WIDTH}}  Fix: {check.remedy}", flush=True)
    return 0 if is_well else 1


def _interpreter() -> Check:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    detail = f"Python {platform.python_version()}, {sys.executable}"
    return Check("interpreter", version in STACKS, detail, f"use Python {', '.join(STACKS)}: {REINSTALL}")


def _packages() -> Check:
    comparison = compare_with_lock()
    if not comparison.differences:
        return Check("packages", True, comparison.summary)
    shown = "; ".join(comparison.differences[:5])
    more = len(comparison.differences) - 5
    return Check("packages", False, shown + (f"; and {more} more" if more > 0 else ""), REINSTALL)


def _probe(probe: str, settings: Settings | None, engine: str) -> list[Check]:
    name, remedy = PROBES[probe]
    given = "" if settings is None else settings.model_dump_json(by_alias=True)
    environment = {**os.environ, **(secret_environment(settings) if settings else {})}
    command = [sys.executable, "-m", "runners.probe", probe, engine]
    try:
        done = subprocess.run(
            command, input=given, env=environment, capture_output=True, text=True, timeout=PROBE_SECONDS
        )
    except subprocess.TimeoutExpired:
        return [Check(name, False, f"no answer in {PROBE_SECONDS} seconds", remedy)]
    if done.returncode:
        # The last line of a traceback, or of whatever a library said before it took the process down.
        said = [line for line in done.stderr.splitlines() if line.strip()] or [f"died with exit code {done.returncode}"]
        return [Check(name, False, textwrap.shorten(said[-1], 200, placeholder=" ..."), remedy)]
    return [Check(**fields) for fields in json.loads(done.stdout.splitlines()[-1])]


def _write_access(settings: Settings | None) -> Check:
    place = _output_dir(settings)
    if place is None:
        return Check("write access", True, "output_dir is remote: not tried")
    try:
        with tempfile.NamedTemporaryFile(dir=_nearest_existing(place)):
            pass
    except OSError as error:
        remedy = "choose a folder that you may write to: --set output_dir=/some/where"
        return Check("write access", False, f"{place}: {error.strerror}", remedy)
    return Check("write access", True, str(place))


def _disk(settings: Settings | None) -> Check:
    place = _nearest_existing(_output_dir(settings) or Path.cwd())
    free = shutil.disk_usage(place).free
    remedy = f"have {NEEDED_BYTES / 1e9:.0f} GB free there, or set output_dir to a folder on another disk"
    return Check("disk", free >= NEEDED_BYTES, f"{free / 1e9:.1f} GB free at {place}", remedy)


def _output_dir(settings: Settings | None) -> Path | None:
    path = os.getcwd() if settings is None else resolve(settings.output_dir)
    return None if "://" in path else Path(path)


def _nearest_existing(path: Path) -> Path:
    return next(place for place in (path, *path.parents) if place.exists())
