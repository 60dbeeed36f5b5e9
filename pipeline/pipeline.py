"""The chain of nodes, made from the settings alone.

    ExampleGen -> StatisticsGen -> SchemaGen | ImportSchemaGen -> ExampleValidator -> AnomalyGate
        -> Transform -> Trainer -> LatestBlessed -> Evaluator -> SmokeCheck -> Pusher

With a window of spans, SpanWindow stands before Transform (`pipeline.span_window`), where trainings begin with an
earlier model, BaseModel before Trainer (`pipeline.base_model`), and where drift or skew is measured
ExampleValidator compares with what other nodes find (`pipeline.comparisons`).

Nothing here knows who will walk the graph, or where: no runner, engine, metadata store or log level is part of it, so
the same settings give the same compiled graph, and the same cache keys, everywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from tfx.components.schema_gen.component import SchemaGen
from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common.resolver import Resolver
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import trainer_pb2
from tfx.types.channel import Channel
from tfx.types.standard_artifacts import Model, ModelBlessing

from components.anomaly_gate.component import AnomalyGate
from components.evaluator.component import Evaluator
from components.example_gen.component import ExampleGen
from components.example_gen.prepared import prepare_code
from components.example_validator.component import ExampleValidator
from components.latest_blessed.strategy import LatestBlessedBeforeStrategy
from components.pusher.component import Pusher
from components.smoke_check.component import SmokeCheck
from components.statistics_gen.component import StatisticsGen
from components.trainer.component import Trainer
from components.transform.component import Transform
from configs.fingerprint import code_fingerprint, settings_fingerprint
from configs.paths import resolve
from configs.settings import Settings
from pipeline import nodes
from pipeline.base_model import base_model
from pipeline.cache_key import depend_on_stack, depends_on
from pipeline.comparisons import STATISTICS_CODE, comparisons, previous_span, serving_statistics
from pipeline.engine_nodes import check_engine_nodes
from pipeline.evaluation import eval_config, label_fingerprint
from pipeline.span_window import is_dated, span_window
from pipeline.user_function import check_function
from schemas.curated import load_schema
from schemas.errors import SettingsError
from schemas.features import IntegerLabel, OneHotLabel

TRAINER_FUNCTION = "distribution.trainer.run_fn"


def latest_blessed_before(settings: Settings, trainer: Trainer) -> Resolver:
    """The resolver of the model that a new one is compared with: our own strategy."""
    # Of a named producer TFX reads its executions only, which counts where there are runs every day.
    often = settings.window.is_used
    return Resolver(
        strategy_class=LatestBlessedBeforeStrategy,
        config={"label": label_fingerprint(settings)},
        model=Channel(type=Model, producer_component_id=nodes.TRAINER if often else None),
        model_blessing=Channel(type=ModelBlessing, producer_component_id=nodes.EVALUATOR if often else None),
        candidate=trainer.outputs["model"],
    )


def create_pipeline(
    settings: Settings,
    *,
    force_bless: str = "",
    baseline: Callable[[Settings, Trainer], Resolver] = latest_blessed_before,
) -> Pipeline:
    """The pipeline of these settings.

    Args:
        settings: validated settings.
        force_bless: a reason for blessing the model whatever its metrics; empty: the thresholds decide.
        baseline: makes the resolver of the model that the new one is compared with.

    Raises:
        SettingsError: a dotted path leads nowhere, or engine.nodes names no node.
        SchemaError: the curated schema cannot be read.
    """
    if settings.data.prepare is not None:
        check_function(settings.data.prepare, "data.prepare")
    check_function(settings.transform.preprocessing_fn, "transform.preprocessing_fn")
    check_function(settings.model.run_fn, "model.run_fn")
    # TFX's cache cannot see the code behind a dotted path (contract 2): its fingerprint travels with the settings.
    transform_code = code_fingerprint(_packages(settings.transform.preprocessing_fn, "transforms", "schemas"))
    trainer_code = code_fingerprint(_packages(settings.model.run_fn, "models", "distribution", "schemas"))
    table = settings.table

    example_gen = ExampleGen(settings.data, table, prepared_dir=str(root(settings) / "prepared")).with_id(
        nodes.EXAMPLE_GEN
    )
    depends_on(example_gen, code=code_fingerprint(["components.example_gen", "components.queries", "schemas"]))
    if settings.data.prepare is not None:
        depends_on(example_gen, prepare=prepare_code(settings.data.prepare))
    statistics_gen = StatisticsGen(examples=example_gen.outputs["examples"]).with_id(nodes.STATISTICS_GEN)
    # Without fixed shapes every raw feature may be missing, in training as in a prediction request.
    schema_gen = SchemaGen(statistics=statistics_gen.outputs["statistics"], infer_feature_shape=False).with_id(
        nodes.SCHEMA_GEN
    )
    chain: list[BaseNode] = [example_gen, statistics_gen, schema_gen]
    schema, reviewed = schema_gen.outputs["schema"], None
    if settings.curated_schema.path is not None:
        schema_file = Path(resolve(settings.curated_schema.path))
        reviewed = load_schema(schema_file)  # a wrong one is refused before anything runs
        curated = ImportSchemaGen(schema_file=str(schema_file)).with_id(nodes.IMPORT_SCHEMA_GEN)
        depends_on(curated, content=hashlib.sha256(schema_file.read_bytes()).hexdigest())
        chain.append(curated)
        schema = curated.outputs["schema"]

    previous = previous_span(settings, statistics_gen.outputs["statistics"], reviewed)
    serving = serving_statistics(settings, reviewed, str(root(settings) / "prepared"))
    chain += [*([previous] if previous else []), *serving]
    validator = ExampleValidator(
        statistics=statistics_gen.outputs["statistics"],
        schema=schema,
        previous_statistics=previous.outputs["statistics"] if previous else None,
        serving_statistics=serving[-1].outputs["statistics"] if serving else None,
        comparisons=comparisons(settings),
        dated=is_dated(settings.data),
    ).with_id(nodes.EXAMPLE_VALIDATOR)
    gate = AnomalyGate(
        examples=example_gen.outputs["examples"],
        statistics=statistics_gen.outputs["statistics"],
        schema=schema,
        anomalies=validator.outputs["anomalies"],
        validation=settings.validation,
    ).with_id(nodes.ANOMALY_GATE)
    window = span_window(settings, example_gen.outputs["examples"], gate) if settings.window.is_used else None
    examples = window.outputs["examples"] if window else example_gen.outputs["examples"]
    transform = Transform(
        examples=examples,
        schema=schema,
        preprocessing_fn=settings.transform.preprocessing_fn,
        custom_config={"features": table.model_dump(mode="json"), "code": transform_code},
        disable_statistics=not settings.transform.statistics,
        analyzer_cache=window.outputs["analyzer_cache"] if window else None,
        disable_analyzer_cache=window is None,
        materialize=settings.transform.materialize,
    ).with_id(nodes.TRANSFORM)
    transform.add_upstream_node(window or gate)
    base = base_model(settings, example_gen.outputs["examples"])
    trainer = Trainer(
        run_fn=TRAINER_FUNCTION,
        examples=transform.outputs["transformed_examples"] if settings.transform.materialize else examples,
        transform_graph=transform.outputs["transform_graph"],
        base_model=base.outputs["model"] if base else None,
        schema=schema,
        train_args=trainer_pb2.TrainArgs(splits=["train"], num_steps=settings.training.steps or 0),
        eval_args=trainer_pb2.EvalArgs(splits=["eval"], num_steps=0),
        custom_config=trainer_config(settings, trainer_code),
    ).with_id(nodes.TRAINER)
    latest_blessed = baseline(settings, trainer).with_id(nodes.LATEST_BLESSED)
    evaluator = Evaluator(
        examples=example_gen.outputs["examples"],
        model=trainer.outputs["model"],
        baseline_model=latest_blessed.outputs["model"] if settings.evaluation.baseline else None,
        eval_config=eval_config(settings),
        label=label_fingerprint(settings),
        force_bless=force_bless,
        split=settings.evaluation.split,
    ).with_id(nodes.EVALUATOR)
    smoke_check = _smoke_check(settings, example_gen, trainer, evaluator) if settings.smoke_check.enabled else None
    pusher = Pusher(
        model=trainer.outputs["model"],
        blessing=evaluator.outputs["blessing"],
        infra_blessing=smoke_check.outputs["blessing"] if smoke_check else None,
        evaluation=evaluator.outputs["evaluation"],
        examples=examples,
        schema=schema,
        releases_dir=str(root(settings) / "releases"),
        model_name=settings.model_name,
        keep=settings.push.keep,
        provenance={
            "pipeline": settings.name,
            **_classes(settings),
            "settings": settings_fingerprint(settings),
            "code": code_fingerprint(
                _packages(
                    *([settings.data.prepare] if settings.data.prepare else []),
                    settings.transform.preprocessing_fn,
                    settings.model.run_fn,
                    *("transforms", "models", "distribution", "components", "serving", "schemas"),
                )
            ),
        },
    ).with_id(nodes.PUSHER)
    depends_on(statistics_gen, code=code_fingerprint(STATISTICS_CODE))
    depends_on(validator, code=code_fingerprint(["components.example_validator"]))
    depends_on(gate, code=code_fingerprint(["components.anomaly_gate", "components.example_validator", "schemas"]))
    depends_on(
        transform,
        code=code_fingerprint(["components.transform", "components.examples", "components.example_gen", "schemas"]),
    )
    depends_on(trainer, code=code_fingerprint(["components.trainer"]))
    depends_on(
        evaluator,
        code=code_fingerprint(
            ["components.evaluator", "components.examples", "components.served_model", "serving", "schemas"]
        ),
    )
    depends_on(pusher, code=code_fingerprint(["components.pusher", "serving", "schemas"]))
    chain += [validator, gate, *([window] if window else []), transform, *([base] if base else []), trainer]
    chain += [latest_blessed, evaluator, *([smoke_check] if smoke_check else []), pusher]
    return assembled(settings, chain, nodes.OF_INFERENCE)


def _smoke_check(settings: Settings, example_gen: BaseNode, trainer: Trainer, evaluator: Evaluator) -> SmokeCheck:
    node = SmokeCheck(
        model=trainer.outputs["model"],
        examples=example_gen.outputs["examples"],
        model_blessing=evaluator.outputs["blessing"],
        settings=settings.smoke_check,
        split=settings.evaluation.split,
        columns=settings.table.inputs,
        model_name=settings.model_name,
    ).with_id(nodes.SMOKE_CHECK)
    packages = [f"components.{name}" for name in ("smoke_check", "served_model", "bulk_inferrer", "examples")]
    # Of the server that the node starts.
    packages += ["runners.cli", "runners.commands.serve", "runners.commands.libraries", "runners.narrow_imports"]
    depends_on(node, code=code_fingerprint([*packages, "serving", "distribution", "configs", "schemas"]))
    return node


def assembled(settings: Settings, chain: Sequence[BaseNode], others: Sequence[str]) -> Pipeline:
    """The pipeline of a chain.

    Args:
        settings: of the run.
        chain: its nodes.
        others: ids of nodes that a chain of another purpose has, which engine.nodes may name, too.

    Raises:
        SettingsError: engine.nodes names no node.
    """
    check_engine_nodes(settings, [node.id for node in chain], others)
    depend_on_stack(chain)
    return Pipeline(
        pipeline_name=settings.name,
        pipeline_root=str(root(settings) / "artifacts"),
        components=list(chain),
        enable_cache=settings.runner.cache,
    )


def root(settings: Settings) -> Path:
    """Absolute form of `output_dir`.

    Raises:
        SettingsError: it is a remote address.
    """
    resolved = resolve(settings.output_dir)
    if "://" in resolved:
        raise SettingsError(
            "output_dir must be a folder of this machine.",
            where="output_dir",
            received=resolved,
            fix="Give a local folder or a mounted one; copy <output_dir>/releases to where models are served from.",
        )
    return Path(resolved).absolute()


def trainer_config(settings: Settings, code: str) -> dict[str, Any]:
    """What run_fn finds in `fn_args.custom_config`: only what decides the model, so that nothing else retrains it."""
    return {
        "run_fn": settings.model.run_fn,
        "settings": {
            "model": settings.model.model_dump(mode="json"),
            "training": settings.training.model_dump(mode="json"),
        },
        "features": settings.table.model_dump(mode="json"),
        "materialized": settings.transform.materialize,
        "code": code,
    }


def _classes(settings: Settings) -> dict[str, tuple[str, ...]]:
    label = settings.label
    return {"classes": label.class_names} if isinstance(label, (IntegerLabel, OneHotLabel)) else {}


def _packages(*names: str) -> Iterable[str]:
    """Top-level packages of dotted paths or package names, without repetition."""
    return dict.fromkeys(name.split(".")[0] for name in names)
