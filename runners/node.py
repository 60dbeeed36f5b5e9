"""The node entry point: runs exactly one node of a compiled pipeline against the shared metadata store.

Every orchestrator calls this, the local runner in a forked child, others with `scalable-tf node`, so that caching,
resolvers and lineage behave the same everywhere.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration.local import runner_utils
from tfx.orchestration.metadata import Metadata
from tfx.orchestration.portable.beam_executor_operator import BeamExecutorOperator
from tfx.proto.orchestration import executable_spec_pb2, pipeline_pb2

from configs.engine import Engine
from runners.crew import Crew
from runners.elsewhere import Elsewhere
from runners.engines import MakePipeline, beam_pipeline, crew_of
from runners.launcher import Launcher
from schemas.errors import RunError

_OUTPUTS = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.INTERNAL_OUTPUT)


@dataclass(frozen=True)
class Output:
    """One artifact that a node gave."""

    uri: str
    properties: dict[str, Any]


@dataclass(frozen=True)
class NodeOutcome:
    """How a node ended: `complete`, or `cached` when an earlier execution's outputs were reused."""

    node_id: str
    state: str
    execution_id: int
    outputs: dict[str, list[Output]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> NodeOutcome:
        """The inverse of `to_dict`."""
        outputs = {key: [Output(**output) for output in found] for key, found in fields["outputs"].items()}
        return cls(fields["node_id"], fields["state"], fields["execution_id"], outputs)


def run_node(
    pipeline: pipeline_pb2.Pipeline,
    node_id: str,
    metadata: Metadata,
    engine: Engine,
    elsewhere: Elsewhere | None = None,
) -> NodeOutcome:
    """Runs one node: resolve its inputs, look into the cache, execute, publish.

    Args:
        pipeline: compiled pipeline whose run id has been substituted.
        node_id: which node.
        metadata: connection to the store that all nodes of the run share.
        engine: where its Beam work executes; of a job server it names the address. Unless `processes` is 1, this
            process has neither run an operation of TensorFlow nor opened the store.
        elsewhere: where nodes that share no disk keep their files; None: they share output_dir.

    Raises:
        ScalableTFError: a user's mistake, as the executor raised it.
        RunError: the node's inputs are not there, for example because an upstream node has not run.
    """
    node = _find(pipeline, node_id)
    engine = engine.of(node_id)
    deployment = runner_utils.extract_local_deployment_config(pipeline)
    executor_spec = runner_utils.extract_executor_spec(deployment, node_id)
    on_beam = isinstance(executor_spec, executable_spec_pb2.BeamExecutableSpec)
    # Before the store is opened: threads of gRPC do not survive a fork.
    with crew_of(engine) if on_beam else Crew(0) as crew:
        make = beam_pipeline(engine, crew, name=f"{pipeline.pipeline_info.id}-{node_id}")
        launcher = Launcher(
            pipeline_node=node,
            mlmd_connection=metadata,
            pipeline_info=pipeline.pipeline_info,
            pipeline_runtime_spec=pipeline.runtime_spec,
            executor_spec=executor_spec,
            custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, node_id),
            custom_executor_operators={executable_spec_pb2.BeamExecutableSpec: _beam_operator(make)},
            elsewhere=elsewhere,
        )
        info = launcher.launch()
    if info is None or not info.execution_id:
        raise RunError(
            "The node has nothing to work on: artifacts that it needs are not in the metadata store.",
            where=f"node {node_id}",
            fix="Run the nodes before it first, with the same run id.",
        )
    with metadata as handle:
        return outcome(handle, node_id, info.execution_id)


def _find(pipeline: pipeline_pb2.Pipeline, node_id: str) -> pipeline_pb2.PipelineNode:
    known = [node.pipeline_node.node_info.id for node in pipeline.nodes]
    if node_id not in known:
        raise RunError(
            "No such node.", where="the compiled pipeline", received=node_id, fix=f"Nodes: {', '.join(known)}"
        )
    return pipeline.nodes[known.index(node_id)].pipeline_node


def _beam_operator(make_beam_pipeline: MakePipeline) -> type[BeamExecutorOperator]:
    class EngineExecutorOperator(BeamExecutorOperator):
        """TFX's operator, with the engine's pipeline."""

        def run_executor(self, execution_info: Any, make_beam_pipeline_fn: Any = None) -> Any:
            return super().run_executor(execution_info, make_beam_pipeline_fn or make_beam_pipeline)

    return EngineExecutorOperator


def outcome(metadata: Metadata, node_id: str, execution_id: int) -> NodeOutcome:
    """How an execution ended and what it gave.

    Args:
        metadata: an entered connection.
        node_id: the node.
        execution_id: its execution.

    Raises:
        RunError: its inputs could not be resolved.
    """
    store = metadata.store
    (execution,) = store.get_executions_by_id([execution_id])
    states = metadata_store_pb2.Execution
    if execution.last_known_state == states.FAILED:
        raise RunError(
            "The node's inputs could not be resolved.",
            where=f"node {node_id}",
            received=_reason(execution),
            fix="Run the nodes before it first, with the same run id; the node's log says more.",
        )
    outputs: dict[str, list[Output]] = {}
    events = [event for event in store.get_events_by_execution_ids([execution_id]) if event.type in _OUTPUTS]
    artifacts = {one.id: one for one in store.get_artifacts_by_id([event.artifact_id for event in events])}
    for event in events:
        artifact = artifacts[event.artifact_id]
        properties = {
            key: _value(value) for key, value in (*artifact.properties.items(), *artifact.custom_properties.items())
        }
        outputs.setdefault(event.path.steps[0].key, []).append(Output(artifact.uri, properties))
    state = "cached" if execution.last_known_state == states.CACHED else "complete"
    return NodeOutcome(node_id, state, execution_id, outputs)


def _reason(execution: metadata_store_pb2.Execution) -> str | None:
    """The last line of the traceback that TFX has recorded."""
    recorded = execution.custom_properties["__execution_result__"].string_value
    try:
        lines = json.loads(recorded)["resultMessage"].strip().splitlines()
    except (ValueError, KeyError):
        return recorded or None
    return lines[-1] if lines else None


def _value(value: metadata_store_pb2.Value) -> Any:
    kind = value.WhichOneof("value")
    return getattr(value, kind) if kind in ("int_value", "double_value", "string_value", "bool_value") else None
