from __future__ import annotations

import argparse
from pathlib import Path

import pytest
import yaml

from runners.commands import manifests
from schemas.errors import TrainingError

SETTINGS = Path(__file__).parents[4] / "configs" / "minimal.yaml"
TASKS = ("training.cluster.kubernetes.image=trainer:1", "training.cluster.folder=/srv/taxi")
MULTI_WORKER = ("training.strategy=multi_worker_mirrored", *TASKS)


def _run(*arguments: str, sets: tuple[str, ...] = MULTI_WORKER) -> None:
    parser = argparse.ArgumentParser()
    manifests.add(parser.add_subparsers())
    options = [word for text in sets for word in ("--set", text)]
    parsed = parser.parse_args(["manifests", "-c", str(SETTINGS), *options, *arguments])
    assert parsed.run(parsed) == 0


def test_prints_what_the_launcher_applies(capsys: pytest.CaptureFixture[str]) -> None:
    _run()
    service, job = yaml.safe_load_all(capsys.readouterr().out)

    assert (service["kind"], job["kind"]) == ("Service", "Job")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["python", "-m", "distribution.task", "/srv/taxi/cluster"]


def test_prints_an_operators_object_where_settings_ask_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    _run(sets=(*MULTI_WORKER, "training.cluster.kubernetes.manifests=jobset"))

    assert yaml.safe_load(capsys.readouterr().out)["kind"] == "JobSet"


def test_prints_the_role_of_a_service_account(capsys: pytest.CaptureFixture[str]) -> None:
    _run("--role", "pipelines:runner")
    role, binding = yaml.safe_load_all(capsys.readouterr().out)

    assert role["kind"] == "Role"
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "runner", "namespace": "pipelines"}]


def test_needs_an_image() -> None:
    with pytest.raises(TrainingError, match="image that the tasks run in"):
        _run(sets=("training.strategy=multi_worker_mirrored", "training.cluster.folder=/srv/taxi"))


def test_auto_is_the_strategy_that_the_trainer_makes_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    _run(sets=("training.cluster.ps=2", *TASKS))
    jobs = [document for document in yaml.safe_load_all(capsys.readouterr().out) if document["kind"] == "Job"]

    counts = {job["metadata"]["labels"]["scalable-tf/role"]: job["spec"]["completions"] for job in jobs}
    assert counts == {"chief": 1, "worker": 2, "ps": 2}


@pytest.mark.parametrize("strategy", ["default", "auto"])
def test_a_training_of_one_process_has_none(strategy: str) -> None:
    with pytest.raises(TrainingError, match="one process, in the Trainer node itself") as raised:
        _run(sets=(f"training.strategy={strategy}", *TASKS))
    assert str(raised.value.received).startswith(strategy)


def test_the_folder_is_that_of_the_command_line_before_that_of_the_settings(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _run("--folder", "/mnt/other")
    assert "/mnt/other/cluster" in capsys.readouterr().out


def test_needs_a_folder() -> None:
    with pytest.raises(TrainingError, match="folder that the tasks share is not known"):
        _run(sets=MULTI_WORKER[:2])
