from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks.measure import Measurement, measure
from schemas.errors import RunError
from tests.integration.command_server import is_gone

pytestmark = pytest.mark.slow

_MIB = 2**20
_HOLD = "import sys; block = bytearray(b'x') * ({mib} * 2**20); print(flush=True); sys.stdin.read()"
"""Until its input ends."""


def _run(tmp_path: Path, code: str) -> Measurement:
    # A child starts from the size of its parent, and this one has imported half of the world: start one in between.
    script = tmp_path / "measure_it.py"
    script.write_text(
        "import json, os, sys\n"
        "from pathlib import Path\n"
        "from benchmarks.measure import measure\n"
        "code, folder = sys.argv[1:]\n"
        "taken = measure([sys.executable, '-c', code], cwd=Path(folder), environment=os.environ, interval=0.02,\n"
        "                log=Path(folder) / 'log')\n"
        "Path(folder, 'taken').write_text(f'{taken.seconds} {taken.cpu_seconds} {taken.peak_mb}')\n"
    )
    root = Path(__file__).resolve().parents[3]
    outer = measure(
        [sys.executable, script, code, tmp_path],
        cwd=tmp_path,
        environment={**os.environ, "PYTHONPATH": str(root)},
        log=tmp_path / "outer.log",
    )
    seconds, cpu_seconds, peak = map(float, (tmp_path / "taken").read_text().split())
    assert seconds <= outer.seconds
    return Measurement(seconds, cpu_seconds, peak)


def test_one_process(tmp_path: Path) -> None:
    empty = _run(tmp_path, "pass")

    held = _run(tmp_path, _HOLD.format(mib=100))

    assert 95 <= held.peak_mb - empty.peak_mb <= 115


def test_processes_at_the_same_time_add_up(tmp_path: Path) -> None:
    one = _HOLD.format(mib=60)

    held = _run(
        tmp_path,
        "import subprocess, sys, time\n"
        "pipes = {'stdin': subprocess.PIPE, 'stdout': subprocess.PIPE}\n"
        f"children = [subprocess.Popen([sys.executable, '-c', {one!r}], **pipes) for _ in range(2)]\n"
        "[child.stdout.readline() for child in children]\n"
        "time.sleep(0.8)\n"
        "[child.communicate() for child in children]",
    )

    assert 120 <= held.peak_mb <= 180


def test_shared_pages_count_once(tmp_path: Path) -> None:
    held = _run(
        tmp_path,
        "import os, time\n"
        "block = bytearray(b'x') * (100 * 2**20)\n"
        "child = os.fork()\n"
        "time.sleep(0.5)\n"
        "child and os.waitpid(child, 0)",
    )

    assert 100 <= held.peak_mb <= 150


def test_seconds_are_from_start_to_exit(tmp_path: Path) -> None:
    assert _run(tmp_path, "import time; time.sleep(0.3)").seconds >= 0.3


def test_processor_seconds_are_those_of_all_processes(tmp_path: Path) -> None:
    spin = "import time\nwhile time.process_time() < 0.3: pass"

    spun = _run(tmp_path, f"import subprocess, sys; subprocess.run([sys.executable, '-c', {spin!r}])\n{spin}")

    assert spun.cpu_seconds >= 0.6


def test_the_command_sees_only_its_environment(tmp_path: Path) -> None:
    log = tmp_path / "log"

    measure(
        [sys.executable, "-c", "import os; print(os.environ.get('COLOUR'), os.environ.get('HOME'), os.getcwd())"],
        cwd=tmp_path,
        environment={"COLOUR": "red"},
        log=log,
    )

    assert log.read_text() == f"red None {tmp_path}\n"


def test_a_failing_command(tmp_path: Path) -> None:
    with pytest.raises(RunError) as caught:
        measure(
            [sys.executable, "-c", "print('out of cheese'); raise SystemExit(3)"],
            cwd=tmp_path,
            environment=os.environ,
            log=tmp_path / "log",
        )

    assert "out of cheese" in caught.value.what
    assert caught.value.received == "exit code 3"


def test_nothing_of_the_command_outlives_it(tmp_path: Path) -> None:
    measure(
        [sys.executable, "-c", "import subprocess; print(subprocess.Popen(['sleep', '600']).pid)"],
        cwd=tmp_path,
        environment=os.environ,
        log=tmp_path / "log",
    )

    assert is_gone(int((tmp_path / "log").read_text()))
