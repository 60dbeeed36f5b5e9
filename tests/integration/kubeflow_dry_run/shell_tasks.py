"""Pipelines whose tasks run scripts of the shell, compiled with KFP's SDK.

KFP's SDK reads annotations as they are: this module does not make texts of them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kfp import compiler, dsl, kubernetes

from runners.kubeflow.specification import Specification, read_specification

CLAIM, MOUNT = "work", "/mnt/work"


def shell_tasks(
    folder: Path, *scripts: str, retries: int = 0, secret: bool = False, last: str = 'echo "$0"', python: bool = False
) -> Specification:
    """Tasks `task`, `task-2`, ..., one after the other, and `end` within whose exit handler they are.

    Args:
        folder: for the file.
        scripts: of the tasks; `$0` is the run's id, `$1` the pipeline's parameter `settings`.
        retries: of each task.
        secret: gives them the key `password` of the Secret `store` as PASSWORD.
        last: script of the exit task; `$0` is the final status.
        python: whether the scripts are Python's, with `sys.argv[1:]`.
    """
    program = ["python", "-c"] if python else ["sh", "-c"]

    def made(script: str) -> Any:
        @dsl.container_component
        def task(run: str, settings: str) -> dsl.ContainerSpec:
            return dsl.ContainerSpec(image="image", command=[*program, script], args=[run, settings])

        return task

    @dsl.container_component
    def end(status: dsl.PipelineTaskFinalStatus) -> dsl.ContainerSpec:
        return dsl.ContainerSpec(image="image", command=["sh", "-c", last], args=[status])

    @dsl.pipeline(name="shell")
    def pipeline(settings: str = "{}") -> None:
        with dsl.ExitHandler(kubernetes.mount_pvc(end(), CLAIM, MOUNT)):
            before = None
            for script in scripts:
                task = made(script)(run=dsl.PIPELINE_JOB_ID_PLACEHOLDER, settings=settings)
                task.set_env_variable("COLOUR", "blue")
                kubernetes.mount_pvc(task, CLAIM, MOUNT)
                if secret:
                    kubernetes.use_secret_as_env(task, "store", {"password": "PASSWORD"})
                if retries:
                    task.set_retry(retries, backoff_duration="0s")
                if before is not None:
                    task.after(before)
                before = task

    return compiled(pipeline, folder)


def handing_on(folder: Path) -> Specification:
    """`make` writes a parameter and an artifact; `take` prints both."""

    @dsl.container_component
    def make(number: dsl.OutputPath(int), page: dsl.Output[dsl.HTML]) -> dsl.ContainerSpec:  # type: ignore[valid-type]
        return dsl.ContainerSpec(
            image="image", command=["sh", "-c", 'printf 7 > "$0"; echo "<p>seen</p>" > "$1"'], args=[number, page.path]
        )

    @dsl.container_component
    def take(number: int, page: dsl.Input[dsl.HTML]) -> dsl.ContainerSpec:
        return dsl.ContainerSpec(image="image", command=["sh", "-c", 'echo "$0"; cat "$1"'], args=[number, page.path])

    @dsl.pipeline(name="handing-on")
    def pipeline() -> None:
        made = make()
        take(number=made.outputs["number"], page=made.outputs["page"])

    return compiled(pipeline, folder)


def compiled(pipeline: Any, folder: Path) -> Specification:
    """What the SDK makes of it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "pipeline.yaml"
    compiler.Compiler().compile(pipeline, str(file))
    return read_specification(file)


def states(tasks: Sequence[Any]) -> list[tuple[str, str, int | None]]:
    """Name, state and exit code of each."""
    return [(task.name, task.state, task.exit_code) for task in tasks]
