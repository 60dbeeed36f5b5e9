"""Takes a node's executor out of a compiled pipeline and puts given outputs in its place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.proto.orchestration import pipeline_pb2
from tfx.types.artifact import Artifact
from tfx.types.artifact_utils import get_artifact_type_class

from pipeline_testing.given import give
from pipeline_testing.outputs import Outputs
from pipeline_testing.stub_executor import FOLDER_FLAG, StubExecutor
from schemas.errors import RunError

Stub = Outputs | Path | Mapping[str, Any]
"""What a node is to give: its outputs in an earlier run, the folder they were recorded in, or values by output key."""


def stub_node(pipeline: pipeline_pb2.Pipeline, node_id: str, stub: Stub, folder: Path) -> None:
    """Replaces a node's executor, in place; the node no longer reads anything, so that those before it may be left out.

    The node keeps its place in the graph, its outputs and their types; whoever runs the pipeline notices nothing.

    Args:
        pipeline: a compiled pipeline.
        node_id: a node with an executor.
        stub: what it is to give; an output key that is not given becomes an empty artifact.
        folder: where the outputs wait until the node runs.

    Raises:
        RunError: there is no such node or output, or the node has no executor.
    """
    deployment = pipeline_pb2.IntermediateDeploymentConfig()
    pipeline.deployment_config.Unpack(deployment)
    if node_id not in deployment.executor_specs:
        raise RunError(
            "No such node, or none with an executor: resolvers and importers cannot be stubbed.",
            where="stubs",
            received=node_id,
            fix=f"Nodes: {', '.join(sorted(deployment.executor_specs))}.",
        )
    (node,) = (one.pipeline_node for one in pipeline.nodes if one.pipeline_node.node_info.id == node_id)
    types = {key: get_artifact_type_class(output.artifact_spec.type) for key, output in node.outputs.outputs.items()}
    spec = ExecutorClassSpec(StubExecutor)
    spec.add_extra_flags([FOLDER_FLAG + str(_recorded(node_id, stub, types, folder))])
    deployment.executor_specs[node_id].Pack(spec.encode())
    # A driver prepares for the executor that is gone, for example by looking for the files that it would read.
    if node_id in deployment.custom_driver_specs:
        del deployment.custom_driver_specs[node_id]
    pipeline.deployment_config.Pack(deployment)
    node.ClearField("inputs")
    del node.upstream_nodes[:]


def needed_nodes(pipeline: pipeline_pb2.Pipeline, to: Collection[str]) -> list[str]:
    """The nodes `to` and all that they need, in an order in which they can run.

    Raises:
        RunError: there is no such node.
    """
    nodes = {node.pipeline_node.node_info.id: node.pipeline_node for node in pipeline.nodes}
    if unknown := [node_id for node_id in to if node_id not in nodes]:
        raise RunError("No such node.", where="to", received=unknown[0], fix=f"Nodes: {', '.join(nodes)}.")
    needed = set(to)
    for node_id in reversed(nodes):  # the compiler has sorted them
        if node_id in needed:
            needed.update(nodes[node_id].upstream_nodes)
    return [node_id for node_id in nodes if node_id in needed]


def _recorded(node_id: str, stub: Stub, types: Mapping[str, type[Artifact]], folder: Path) -> Path:
    """The folder with KEY/NUMBER of each output."""
    if isinstance(stub, Path):
        if not (stub / node_id).is_dir():
            raise RunError(
                "Nothing was recorded here for this node.",
                where=f"stubs, node {node_id}",
                received=stub / node_id,
                fix=f'Record a run of it: run["{node_id}"].record(folder), then give that folder.',
            )
        return (stub / node_id).resolve()
    if isinstance(stub, Mapping):
        if unknown := [key for key in stub if key not in types]:
            raise RunError(
                "The node has no such output.",
                where=f"stubs, node {node_id}",
                received=unknown[0],
                fix=f"Outputs: {', '.join(types)}.",
            )
        given = {
            key: give(types[key], value, folder / "given" / node_id / key, f"stubs, node {node_id}, output {key!r}")
            for key, value in stub.items()
        }
        stub = Outputs(node_id, given)
    Outputs(node_id, stub.artifacts).record(folder)
    return folder / node_id
