"""A worker that a Flink cluster starts as a process, without a checkout, and that is killed while it works."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from configs.engine import Engine
from runners.job_server import require_job_servers
from schemas.errors import SetupError
from tests.digests import digests
from tests.integration.command_server import Command, CommandServer, is_gone
from tests.integration.engines.flink_cluster import FlinkCluster, flink_cluster
from tests.integration.trips import write_trips

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
ROOT = Path(__file__).resolve().parents[3]
_HIDE = 'for folder in FOLDERS; do mount -t tmpfs none "$folder" || exit 1; done; exec "$@"'


@pytest.fixture(scope="module")
def unseen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the cluster does not share with us."""
    return tmp_path_factory.mktemp("unseen")


@pytest.fixture(scope="module")
def cluster(unseen: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlinkCluster]:
    """One that sees none of our packages: in its view of the file system their folders are empty."""
    engine = {"kind": "flink", "flink": {"workers": {"kind": "process"}}}
    try:
        require_job_servers(Engine.model_validate(engine), os.environ)
    except SetupError as error:
        pytest.skip(f"{error.what} {error.received}: make engines")
    hidden = [str(unseen), *(str(path.parent) for path in sorted(ROOT.glob("*/__init__.py")))]
    before = ["unshare", "--mount", "sh", "-c", _HIDE.replace("FOLDERS", " ".join(hidden)), "sh"]
    if shutil.which("unshare") is None or subprocess.run([*before, "true"], capture_output=True).returncode:
        pytest.skip("only root may give processes another view of the file system")
    with flink_cluster(tmp_path_factory.mktemp("cluster"), before) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def inline(commands: CommandServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What Transform gives in its own process."""
    settings = write_trips(tmp_path_factory.mktemp("inline"))
    command = commands.run(["run", "-c", str(settings), "--to", "Transform"])
    assert command.wait() == 0, command.text
    return digests(settings.parent / "output/artifacts")


def arguments(settings: Path, cluster: FlinkCluster, node: str = "Transform") -> list[str]:
    """A node on the cluster, whose workers get our packages from the job alone, without an index."""
    packages = settings.parent / "packages"
    environment = {
        "PYTHONPATH": packages,
        "PIP_TARGET": packages,
        "PIP_NO_DEPS": 1,
        "PIP_NO_INDEX": 1,
        "PIP_NO_BUILD_ISOLATION": 0,  # pip's way to say yes
    }
    workers = ", ".join(f'{name}: "{value}"' for name, value in environment.items())
    given = {
        "engine.nodes": f"{{{node}: flink}}",
        "engine.flink.master": cluster.address,
        "engine.flink.parallelism": "1",
        "engine.flink.workers": f"{{kind: process, environment: {{{workers}}}}}",
        "engine.flink.options": f"{{setup_file: {ROOT / 'setup.py'}}}",
    }
    options = [word for name, value in given.items() for word in ("--set", f"{name}={value}")]
    return ["run", "-c", str(settings), "--to", node, *options]


def test_a_killed_worker_without_a_checkout_costs_no_row(
    cluster: FlinkCluster, inline: dict[str, str], commands: CommandServer, tmp_path: Path
) -> None:
    settings = write_trips(tmp_path)
    command = commands.start(arguments(settings, cluster))
    os.kill(worker_of(tmp_path, command), signal.SIGKILL)

    code = command.wait()

    if code:  # else Flink, or Beam's boot, has started it again
        assert "Transform failed.\nA worker of the engine was lost in the middle of a job.\n" in command.text
        given = [word for word in arguments(settings, cluster) if word not in ("--to", "Transform")]
        resumed = commands.run([*given, "--resume"])
        assert resumed.wait() == 0, resumed.text
    assert digests(tmp_path / "output/artifacts") == inline
    assert (tmp_path / "packages/components/transform").is_dir()


def test_workers_that_do_not_see_output_dir(
    cluster: FlinkCluster, unseen: Path, commands: CommandServer, tmp_path: Path
) -> None:
    settings = write_trips(tmp_path)
    given = ["--set", f"output_dir={unseen / 'output'}"]
    command = commands.run([*arguments(settings, cluster, "ExampleGen"), *given])
    assert command.wait() == 1
    assert "ExampleGen failed.\nA worker process of the engine did not start.\n" in command.text
    assert "Often it does not see output_dir" in command.text


def worker_of(folder: Path, command: Command) -> int:
    """The process of a worker that has our packages from this folder, once it has loaded TensorFlow."""
    while not is_gone(command.pid):
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # it has just ended
                ours = f"PIP_TARGET={folder}".encode() in (process / "environ").read_bytes()
                if ours and "libtensorflow" in (process / "maps").read_text():
                    return int(process.name)
        time.sleep(0.02)
    raise AssertionError(command.text)
