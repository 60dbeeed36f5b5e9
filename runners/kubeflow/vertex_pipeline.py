"""A pipeline for Vertex AI: our chain, as TFX's own runner for it compiles chains.

Vertex keeps the metadata and resolves inputs itself, so our node entry point has no place there: each task calls TFX's
entry point for one executor, behind ours for the paths (vertex_task.py). docs/kubeflow.md says what is different there.
"""

from __future__ import annotations

from typing import Any

from tfx.components.trainer.component import Trainer
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution.strategies.latest_blessed_model_strategy import LatestBlessedModelStrategy
from tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner import KubeflowV2DagRunner, KubeflowV2DagRunnerConfig
from tfx.types.channel import Channel
from tfx.types.standard_artifacts import ExampleAnomalies, Model, ModelBlessing

from components.anomaly_gate.executor import GATE_KEY
from configs.kubeflow import Kubeflow, Retries
from configs.settings import Settings
from pipeline import nodes
from pipeline.pipeline import create_pipeline
from runners.kubeflow.bucket_path import in_bucket, mounted
from runners.kubeflow.task_names import pipeline_name
from runners.kubeflow.task_platform import resources

COMMAND = ("scalable-tf", "kubeflow", "task", "vertex")
_DIRECT = "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"


def vertex_document(settings: Settings) -> dict[str, Any]:
    """The pipeline that Vertex AI takes.

    Args:
        settings: with kubeflow.image, and an output_dir in a bucket.

    Raises:
        SettingsError: the pipeline of these settings cannot be made.
    """
    settings = settings.model_copy(update={"output_dir": mounted(settings.output_dir)})
    pipeline = create_pipeline(settings, baseline=_latest_blessed)
    pipeline.pipeline_info.pipeline_name = pipeline_name(settings.name)
    pipeline.pipeline_info.pipeline_root = in_bucket(pipeline.pipeline_info.pipeline_root)
    # Vertex's cache knows the command lines, which do not say what code and what libraries are in the image.
    pipeline.enable_cache = False
    for node in pipeline.components:
        if node.id == nodes.ANOMALY_GATE:
            # Types that are not its own TFX would import from a top-level module; this is the nearest of its own.
            node.outputs[GATE_KEY]._set_type(ExampleAnomalies)
        if isinstance(node.executor_spec, BeamExecutorSpec):
            node.executor_spec.add_beam_pipeline_args([_DIRECT])
    config = KubeflowV2DagRunnerConfig(
        default_image=settings.kubeflow.image, default_commands=list(COMMAND), use_pipeline_spec_2_1=True
    )
    job = KubeflowV2DagRunner(config).run(pipeline, write_out=False)
    document: dict[str, Any] = job["pipelineSpec"]
    document["defaultPipelineRoot"] = pipeline.pipeline_info.pipeline_root
    for node in pipeline.components:
        _set(document, settings.kubeflow, node.id)
    return document


def _set(document: dict[str, Any], kubeflow: Kubeflow, node: str) -> None:
    """What Vertex gives the task of a node; a resolver is not one that starts a container."""
    container = document["deploymentSpec"]["executors"].get(f"{node}_executor", {}).get("container")
    if container is None:
        return
    # TFX's driver, which knows neither packages nor what is prepared: our entry point runs ours.
    container.pop("lifecycle", None)
    given = kubeflow.task(node)
    if amounts := resources(kubeflow, given):
        container["resources"] = amounts
    if given.environment:
        container["env"] = [{"name": name, "value": value} for name, value in sorted(given.environment.items())]
    retries = given.retries or Retries()
    if retries.count:
        document["root"]["dag"]["tasks"][node]["retryPolicy"] = {
            "maxRetryCount": retries.count,
            "backoffDuration": f"{retries.seconds}s",
            "backoffFactor": retries.factor,
            "backoffMaxDuration": f"{retries.max_seconds}s",
        }


def _latest_blessed(settings: Settings, trainer: Trainer) -> Resolver:
    """TFX's own strategy, which Vertex has: the latest blessed model, whatever its label."""
    del settings, trainer
    return Resolver(
        strategy_class=LatestBlessedModelStrategy,
        model=Channel(type=Model),
        model_blessing=Channel(type=ModelBlessing),
    )
