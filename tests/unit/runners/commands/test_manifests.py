from __future__ import annotations

import argparse
from pathlib import Path

import pytest
import yaml

from runners.commands import manifests
from schemas.errors import TrainingError

SETTINGS = Path(__file__).parents[4] / "configs" / "minimal.yaml"
MULTI_WORKER = ("training.strategy=multi_worker_mirrored", "training.cluster.kubernetes.image=trainer:1")


def _run(*arguments: str, sets: tuple[str, ...] = MULTI_WORKER) -> None:
    parser = argparse.ArgumentParser()
    manifests.add(parser.add_subparsers())
    options = [word for text in (*sets, "output_dir=/srv/taxi") for word in ("--set", text)]
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
        _run(sets=MULTI_WORKER[:1])
