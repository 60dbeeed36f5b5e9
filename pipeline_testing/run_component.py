"""Runs one component, as a pipeline would, on what a test gives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tfx.dsl.compiler import compiler, constants
from tfx.dsl.components.base.base_node import BaseNode
from tfx.orchestration.pipeline import Pipeline
from tfx.orchestration.portable.runtime_parameter_utils import substitute_runtime_parameter
from tfx.types.artifact import Artifact
from tfx.types.channel_utils import ChannelForTesting

from configs.engine import Engine
from pipeline_testing.given import give
from pipeline_testing.outputs import Outputs
from pipeline_testing.raised import as_raised
from pipeline_testing.store import open_store, outputs_of, put
from runners.node import run_node


class RunComponent:
    """The fixture `run_component`.

    The component runs in this process, through TFX's launcher, with its driver and an ML Metadata store of its own, and
    Beam work on the inline engine.

    Args:
        make_folder: makes a new folder of a name like the one given; a call never sees what an earlier one has left.
    """

    def __init__(self, make_folder: Callable[[str], Path]) -> None:
        self._make_folder = make_folder

    def __call__(self, component: Callable[..., BaseNode], /, **arguments: Any) -> Outputs:
        """Makes the component and runs it.

            run_component(StatisticsGen, examples=[{"fare": 12.5}, {"fare": None}])["statistics"]

        Args:
            component: a component's class, or a function component; TFX's, this package's or the user's own.
            arguments: of its constructor. Inputs are given as values, see `pipeline_testing.given.give`, or as outputs
                of an earlier call; everything else is handed on.

        Returns:
            The artifacts that it gave; `pipeline_testing.read` reads them.

        Raises:
            ScalableTFError: a mistake, as the executor raised it.
        """
        name = getattr(component, "__name__", "component")
        folder = self._make_folder(name)
        metadata = open_store(folder)
        inputs: Mapping[str, Any] = getattr(getattr(component, "SPEC_CLASS", None), "INPUTS", {})
        for key, value in arguments.items():
            if kind := _input_kind(inputs, key, value):
                artifacts = give(kind, value, folder / "inputs" / key, f"{name}, input {key!r}")
                arguments[key] = ChannelForTesting(kind, put(metadata, artifacts))
        node = component(**arguments)
        pipeline = compiler.Compiler().compile(
            Pipeline(pipeline_name="test", pipeline_root=str(folder / "outputs"), components=[node])
        )
        substitute_runtime_parameter(pipeline, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: "test"})
        with as_raised():
            outcome = run_node(pipeline, node.id, metadata, Engine(kind="inline", processes=1))
        return outputs_of(metadata, node.id, outcome.execution_id)


def _input_kind(inputs: Mapping[str, Any], key: str, value: Any) -> type[Artifact] | None:
    """The artifact type of an argument that is an input: by the component's specification, or because it is one."""
    if value is None:
        return None
    if key in inputs:
        kind: type[Artifact] = inputs[key].type
        return kind
    first = value[0] if isinstance(value, (list, tuple)) and value else value
    return type(first) if isinstance(first, Artifact) else None
