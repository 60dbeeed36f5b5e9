"""A dry run in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runners.kubeflow.dry_run.run import DryRun, Options, dry_run
from runners.kubeflow.dry_run.task_result import TaskResult
from runners.kubeflow.specification import Specification
from tests.integration.command_server import CommandServer

Execute = Callable[..., DryRun]


@pytest.fixture
def said() -> list[str]:
    """What a dry run has said of what it uses."""
    return []


@pytest.fixture
def execute(tmp_path: Path, said: list[str]) -> Execute:
    """Runs a specification, without a database unless options ask for one."""

    def run(specification: Specification, parameters: dict[str, Any] | None = None, **options: Any) -> DryRun:
        ended: list[TaskResult] = []
        chosen = Options(**{"root": tmp_path / "root", "keep_metadata": True, **options})
        result = dry_run(specification, parameters or {}, chosen, said.append, ended.append)
        assert tuple(ended) == result.tasks
        return result

    return run


def printed(result: DryRun, number: int = 0) -> str:
    """What a task has printed, by its place in the order."""
    logs = result.tasks[number].logs
    assert logs is not None
    return (logs / "stdout.log").read_text()


@pytest.fixture(scope="package")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandServer]:
    """Starts `scalable-tf kubeflow` at once, without TensorFlow, which these commands do not use."""
    server = CommandServer(tmp_path_factory.mktemp("commands"), ["kfp", "runners.kubeflow.dry_run.report"])
    yield server
    server.close()
