"""What a task sees of this machine, and what is left of it when a dry run dies."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from configs.kubeflow import DRY_RUN_VARIABLE
from runners.kubeflow.dry_run.database import remove_left_over
from runners.kubeflow.dry_run.namespaces import Namespaces
from runners.kubeflow.dry_run.place import IMAGE_ENVIRONMENT
from tests.integration.command_server import CommandServer, is_gone, wait_until_gone
from tests.integration.kubeflow_dry_run.conftest import Execute, printed
from tests.integration.kubeflow_dry_run.shell_tasks import CLAIM, MOUNT, shell_tasks
from tests.integration.servers.installed import find

ROOT = Path(__file__).parents[3]


@pytest.fixture
def namespaces(tmp_path: Path) -> None:
    refusal = Namespaces(tmp_path / "probe").refusal()
    if refusal is not None:
        pytest.skip(f"this machine allows no namespaces: {refusal}")


@pytest.mark.usefixtures("namespaces")
def test_a_task_sees_its_volumes_and_nothing_of_the_user(execute: Execute, tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    places = [tmp_path / "mine", ROOT / "tests", Path.home() / ".bashrc", ROOT / ".git"]
    look = "; ".join(f"test -e {place} && echo seen {place}" for place in places)
    script = f"{look}; ls -d /mnt/*; touch /usr/mark 2>/dev/null && echo wrote; true"

    assert printed(execute(shell_tasks(tmp_path, script))) == f"{MOUNT}\n"


@pytest.mark.usefixtures("namespaces")
def test_a_task_has_its_own_temporary_folder_and_processes(execute: Execute, tmp_path: Path) -> None:
    write, read = "echo x > /tmp/mark; sleep 600 & true", "ls /tmp/mark 2>/dev/null; ls /proc | grep -c '^[0-9]'"

    result = execute(shell_tasks(tmp_path, write, read))

    assert int(printed(result, 1)) < 8  # the shells between, ls and grep


def test_a_task_gets_no_variable_of_this_process(
    execute: Execute, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_SECRET", "hunter2")

    names = printed(
        execute(shell_tasks(tmp_path, "env | cut -d= -f1 | sort | tr '\\n' ' '"), environment={"EXTRA": "1"})
    )

    assert set(names.split()) - {"PWD", "OLDPWD", "SHLVL", "_"} == {
        *IMAGE_ENVIRONMENT,
        *("COLOUR", "EXTRA", "PATH", "PYTHONPATH", DRY_RUN_VARIABLE),
    }


def test_the_program_is_the_one_of_this_environment(execute: Execute, tmp_path: Path) -> None:
    script = "import runners.cli, sys; print(sys.prefix); print(open(runners.cli.__file__).read() == 0)"

    result = execute(shell_tasks(tmp_path, script, python=True))

    assert result.succeeded
    assert Path(printed(result).splitlines()[0]).resolve() == Path(sys.prefix).resolve()


def test_without_namespaces_it_runs_and_says_so(
    execute: Execute, tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Namespaces, "refusal", lambda self: "unshare failed: Operation not permitted")

    result = execute(shell_tasks(tmp_path, f"echo x > {MOUNT}/seen", f"cat {MOUNT}/seen"))

    assert printed(result, 1) == "x\n"
    assert (tmp_path / "root" / "claims" / CLAIM / "seen").is_file()
    assert said[2].endswith("as this machine refuses: unshare failed: Operation not permitted")


@pytest.mark.usefixtures("namespaces")
@pytest.mark.parametrize("database", ["postgresql", "mysql"])
def test_nothing_outlives_a_dry_run_that_is_killed(commands: CommandServer, tmp_path: Path, database: str) -> None:
    program, packages = {"postgresql": ("postgres", "postgresql"), "mysql": ("mariadbd", "mariadb-server")}[database]
    find(program, packages=packages)
    specification = shell_tasks(tmp_path, f"sleep 600 & sleep 600 & : > {MOUNT}/begun; wait")
    options = ["--root", str(tmp_path / "root"), "--database", database]
    command = commands.start(["kubeflow", "dry-run", str(specification.file), *options])
    begun = tmp_path / "root" / "claims" / CLAIM / "begun"
    while not begun.exists():
        assert not is_gone(command.pid), command.text
        time.sleep(0.02)
    started = descendants(command.pid)

    os.kill(command.pid, signal.SIGKILL)

    assert len(started) > 4
    assert wait_until_gone(started) == []
    assert command.wait() == -signal.SIGKILL
    remove_left_over()
    assert list(Path("/tmp").glob(f"dry-run-database-{command.pid}-*")) == []


def test_a_dry_run_that_is_ended_ends_its_tasks(commands: CommandServer, tmp_path: Path) -> None:
    specification = shell_tasks(tmp_path, f"sleep 600 & : > {MOUNT}/begun; wait")
    options = ["--root", str(tmp_path / "root"), "--keep-metadata"]
    command = commands.start(["kubeflow", "dry-run", str(specification.file), *options])
    begun = tmp_path / "root" / "claims" / CLAIM / "begun"
    while not begun.exists():
        assert not is_gone(command.pid), command.text
        time.sleep(0.02)
    started = descendants(command.pid)

    command.signal(signal.SIGTERM)

    assert command.wait() == 128 + signal.SIGTERM
    assert wait_until_gone(started) == []


def descendants(pid: int) -> list[int]:
    """All processes below one."""
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # one of a database server may just have ended
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *descendants(int(child))]
    return found
