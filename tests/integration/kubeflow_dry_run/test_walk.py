"""Compiled pipelines of shell scripts: what runs, in which order, with what, and how it ends."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from runners.kubeflow.dry_run.process import TIMED_OUT
from runners.kubeflow.dry_run.run import Options, dry_run
from schemas.errors import RunError
from tests.integration.kubeflow_dry_run.conftest import Execute, printed
from tests.integration.kubeflow_dry_run.shell_tasks import CLAIM, MOUNT, handing_on, shell_tasks, states


def test_tasks_run_in_order_with_what_was_compiled(execute: Execute, tmp_path: Path) -> None:
    write, read = f'echo "$0 $COLOUR $1" > {MOUNT}/seen', f"cat {MOUNT}/seen"

    result = execute(shell_tasks(tmp_path, write, read), {"settings": '{"a": 1}'})

    assert result.succeeded
    assert states(result.tasks) == [("task", "succeeded", 0), ("task-2", "succeeded", 0), ("end", "succeeded", 0)]
    assert result.tasks[0].command == ("sh", "-c", write, result.run_id, '{"a": 1}')
    assert printed(result, 1) == f'{result.run_id} blue {{"a": 1}}\n'
    assert (tmp_path / "root" / "claims" / CLAIM / "seen").is_file()


def test_before_and_while_it_runs_it_says_what_it_does(tmp_path: Path) -> None:
    said: list[str] = []
    options = Options(root=tmp_path / "root", keep_metadata=True)

    dry_run(
        shell_tasks(tmp_path, "false", "true"),
        {},
        options,
        said.append,
        ended=lambda task: said.append(f"{task.name} {task.state}"),
        started=lambda name, before, count: said.append(f"{name}: {before} of {count}"),
    )

    assert said[0].startswith("dry run of shell: 3 tasks of the compiled file, one after the other; each has a process")
    assert said[1] == f"files: in {tmp_path / 'root'}"
    assert said[-5:] == ["task: 0 of 3", "task failed", "task-2 skipped", "end: 2 of 3", "end succeeded"]


def test_parameters_and_artifacts_are_handed_on(execute: Execute, tmp_path: Path) -> None:
    result = execute(handing_on(tmp_path))

    assert printed(result, 1) == "7\n<p>seen</p>\n"
    assert result.tasks[1].command[-1].startswith("/minio/mlpipeline/v2/artifacts/handing-on/")


def test_the_exit_task_gets_the_status_of_a_success(execute: Execute, tmp_path: Path) -> None:
    status = json.loads(printed(execute(shell_tasks(tmp_path, "true")), 1))

    assert (status["state"], status["pipelineTaskName"]) == ("COMPLETE", "exit-handler-1")


def test_after_a_failure_nothing_begins_but_the_exit_task(execute: Execute, tmp_path: Path) -> None:
    result = execute(shell_tasks(tmp_path, "echo why >&2; exit 3", "true"))

    assert not result.succeeded
    assert states(result.tasks) == [("task", "failed", 3), ("task-2", "skipped", None), ("end", "succeeded", 0)]
    assert json.loads(printed(result, 2))["state"] == "FAILED"
    logs = result.tasks[0].logs
    assert logs is not None
    assert (logs / "stderr.log").read_text() == "why\n"


def test_a_failure_of_the_exit_task_is_one_of_the_pipeline(execute: Execute, tmp_path: Path) -> None:
    result = execute(shell_tasks(tmp_path, "true", last="exit 1"))

    assert not result.succeeded


def test_a_task_is_tried_again_as_often_as_the_policy_says(execute: Execute, tmp_path: Path) -> None:
    third_time = f"echo x >> {MOUNT}/tries; test $(wc -l < {MOUNT}/tries) = 3"

    first = execute(shell_tasks(tmp_path, third_time, retries=1))
    second = execute(shell_tasks(tmp_path, third_time, retries=1))  # the claim is kept with its root

    assert [(task.state, task.attempts) for task in (first.tasks[0], second.tasks[0])] == [
        ("failed", 2),
        ("succeeded", 1),
    ]


def test_a_task_is_tried_once_when_asked(execute: Execute, tmp_path: Path) -> None:
    result = execute(shell_tasks(tmp_path, "exit 2", retries=3), retries=False)

    assert (result.tasks[0].attempts, result.tasks[0].exit_code) == (1, 2)


def test_a_task_that_takes_too_long_is_ended(execute: Execute, tmp_path: Path) -> None:
    specification = shell_tasks(tmp_path, "sleep 600 & sleep 600")
    limited = {label: {**given, "activeDeadlineSeconds": "1"} for label, given in specification.kubernetes.items()}

    result = execute(dataclasses.replace(specification, kubernetes=limited))

    assert states(result.tasks)[0] == ("task", "failed", TIMED_OUT)
    assert result.tasks[0].seconds < 60


def test_a_secret_of_ones_own(execute: Execute, tmp_path: Path, said: list[str]) -> None:
    specification = shell_tasks(tmp_path, 'echo "$PASSWORD"', secret=True)

    assert printed(execute(specification, secrets={"store": {"password": "hunter2"}})) == "hunter2\n"
    assert "hunter2" not in "".join(said)


def test_a_throw_away_secret_is_told_by_name_alone(execute: Execute, tmp_path: Path, said: list[str]) -> None:
    result = execute(shell_tasks(tmp_path, 'echo "$PASSWORD"', secret=True))

    assert any("store/password" in line for line in said)
    assert printed(result).strip() not in "".join(said)


def test_a_program_that_is_not_there(execute: Execute, tmp_path: Path) -> None:
    specification = shell_tasks(tmp_path, "true")
    container = specification.pipeline.deployment_spec["executors"]["exec-task"]["container"]
    container.update({"command": ["no-such-program"]})

    result = execute(specification)

    assert states(result.tasks)[0] == ("task", "failed", 127)


def test_an_output_that_was_not_written_fails_the_task(execute: Execute, tmp_path: Path) -> None:
    specification = handing_on(tmp_path)
    container = specification.pipeline.deployment_spec["executors"]["exec-make"]["container"]
    container.update({"command": ["true"]})

    result = execute(specification)

    assert states(result.tasks)[0] == ("make", "failed", 0)
    assert result.tasks[0].reason.startswith("An output of the task cannot be read.")


def test_a_pipeline_root_that_kfp_cannot_write_to(execute: Execute, tmp_path: Path) -> None:
    specification = handing_on(tmp_path)
    specification.pipeline.default_pipeline_root = "hdfs://somewhere"

    result = execute(specification)

    assert result.tasks[0].reason.startswith("KFP's launcher cannot write an artifact there.")


def test_a_loop_is_refused_before_anything_runs(execute: Execute, tmp_path: Path) -> None:
    specification = shell_tasks(tmp_path, "true")
    specification.pipeline.root.dag.tasks["exit-handler-1"].trigger_policy.condition = "true"

    with pytest.raises(RunError, match="does not execute a condition"):
        execute(specification)

    assert not (tmp_path / "root").exists()


def test_a_temporary_root_is_kept_only_for_a_failure(execute: Execute, tmp_path: Path) -> None:
    well, badly = (execute(shell_tasks(tmp_path, script), root=None) for script in ("true", "false"))

    assert (well.kept, well.root.exists()) == (False, False)
    assert (badly.kept, badly.root.exists()) == (True, True)
