"""Small pipelines, compiled with KFP's SDK: their tasks are containers that run /bin/sh.

KFP's SDK reads annotations as they are: this module does not make texts of them.
"""

from collections.abc import Callable
from pathlib import Path

from kfp import compiler, dsl


def compile_pipeline(pipeline: Callable[..., object], folder: Path) -> Path:
    """The file of a pipeline."""
    file = folder / "pipeline.yaml"
    compiler.Compiler().compile(pipeline, str(file))
    return file


def greeting(folder: Path, name: str = "greeting", words: str = "hello") -> Path:
    """One task within an exit handler; parameters `steps` (a whole number) and `word`."""

    @dsl.container_component
    def greet(word: str, steps: int) -> dsl.ContainerSpec:
        return dsl.ContainerSpec(image="image", command=["sh", "-c", f'echo {words} "$0" "$1"'], args=[word, steps])

    @dsl.container_component
    def end(status: dsl.PipelineTaskFinalStatus) -> dsl.ContainerSpec:
        return dsl.ContainerSpec(image="image", command=["echo"], args=[status])

    @dsl.pipeline(name=name)
    def pipeline(word: str = "you", steps: int = 0) -> None:
        with dsl.ExitHandler(end()):
            greet(word=word, steps=steps)

    return compile_pipeline(pipeline, folder)
