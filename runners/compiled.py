"""The compiled pipeline: TFX's intermediate representation (IR) of one run."""

from __future__ import annotations

from google.protobuf import text_format
from tfx.dsl.compiler import compiler, constants
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable.runtime_parameter_utils import substitute_runtime_parameter
from tfx.proto.orchestration import pipeline_pb2

from configs.settings import Settings
from pipeline.inference import create_inference_pipeline
from pipeline.pipeline import create_pipeline


def compile_pipeline(settings: Settings, *, force_bless: str = "") -> pipeline_pb2.Pipeline:
    """The IR of the pipeline that the settings' purpose asks for, its run id still open."""
    if settings.purpose == "inference":
        return compiler.Compiler().compile(create_inference_pipeline(settings))
    return compiler.Compiler().compile(create_pipeline(settings, force_bless=force_bless))


def with_run_id(pipeline: pipeline_pb2.Pipeline, run_id: str) -> pipeline_pb2.Pipeline:
    """A copy of a compiled pipeline, for one run."""
    copy = pipeline_pb2.Pipeline()
    copy.CopyFrom(pipeline)
    substitute_runtime_parameter(copy, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id})
    return copy


def node_ids(pipeline: pipeline_pb2.Pipeline) -> list[str]:
    """The nodes, each after those that it needs."""
    return [node.pipeline_node.node_info.id for node in pipeline.nodes]


def changed_nodes(before: pipeline_pb2.Pipeline, now: pipeline_pb2.Pipeline) -> list[str]:
    """Nodes of which the two say different things: inputs, parameters, or fingerprints of code and libraries.

    The run id, and what partial runs mark, are left out.
    """
    old, new = _nodes(before), _nodes(now)
    return [node for node in (*new, *(node for node in old if node not in new)) if old.get(node) != new.get(node)]


def run_id_of(pipeline: pipeline_pb2.Pipeline) -> str:
    """The run that a compiled pipeline is for."""
    return str(pipeline.runtime_spec.pipeline_run_id.field_value.string_value)


def _nodes(pipeline: pipeline_pb2.Pipeline) -> dict[str, list[str]]:
    deployment = runner_utils.extract_local_deployment_config(pipeline)
    found = {}
    for wrapped in pipeline.nodes:
        node = pipeline_pb2.PipelineNode()
        node.CopyFrom(wrapped.pipeline_node)
        node.ClearField("execution_options")
        specs = (
            runner_utils.extract_executor_spec(deployment, node.node_info.id),
            runner_utils.extract_custom_driver_spec(deployment, node.node_info.id),
        )
        parts = [node, *(spec for spec in specs if spec is not None)]
        texts = (text_format.MessageToString(part) for part in parts)
        found[node.node_info.id] = [text.replace(run_id_of(pipeline), "") for text in texts]
    return found
