"""Tasks in the image that was built on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners.kubeflow.dry_run.in_image import InImage
from schemas.errors import SetupError
from tests.integration.kubeflow_dry_run.conftest import Execute, printed
from tests.integration.kubeflow_dry_run.shell_tasks import MOUNT, shell_tasks, states

IMAGE = "localhost/scalable-tensorflow:product"


@pytest.fixture(scope="module", autouse=True)
def _image() -> None:
    try:
        InImage(IMAGE).close()
    except SetupError as error:
        pytest.skip(f"{error.received}: make image")


def test_a_task_runs_in_the_image_and_writes_to_its_volume(execute: Execute, tmp_path: Path, said: list[str]) -> None:
    write = f'command -v scalable-tf > {MOUNT}/seen; echo "$COLOUR" >> {MOUNT}/seen'

    result = execute(shell_tasks(tmp_path, write, f"cat {MOUNT}/seen; exit 4"), image=IMAGE)

    assert states(result.tasks) == [("task", "succeeded", 0), ("task-2", "failed", 4), ("end", "succeeded", 0)]
    assert printed(result, 1) == "/opt/venv/bin/scalable-tf\nblue\n"
    assert IMAGE in said[2]


def test_an_image_that_is_not_there(execute: Execute, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="The image is not on this machine"):
        execute(shell_tasks(tmp_path, "true"), image="localhost/no-such-image:1")
