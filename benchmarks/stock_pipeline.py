"""The stock side: TFX's own components on the rows, features, model, steps, slices and thresholds of the settings.

    python -m benchmarks.stock_pipeline --train-rows 10001 -c configs/taxi.yaml --set output_dir=/tmp/stock

It is what a TFX user writes: the public API, LocalDagRunner, SQLite metadata, no Beam arguments. Where that could be
written in several ways, it is the way that takes stock less time:

- `transforms.preprocessing.preprocessing_fn` is ours, so that the features are equal: it computes all statistics in one
  TFT analyzer, where a user would call tft.scale_to_z_score, tft.bucketize and others for each feature;
- it and the run_fn are named by dotted paths: a module_file would be built into a wheel;
- Transform computes no TFDV statistics before and after, and writes no analyzer cache, as ours does not.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from tfx import v1 as tfx  # noqa: TID251 - as TFX's users import it

from benchmarks.stock_evaluation import stock_eval_config
from benchmarks.stock_training import TRAIN_ROWS_KEY
from configs.load import load_settings
from configs.paths import resolve
from configs.settings import Settings
from pipeline import nodes


def create_stock_pipeline(settings: Settings, train_rows: int) -> tfx.dsl.Pipeline:
    """The pipeline of the settings, with ids and folders as in ours.

    Args:
        settings: `data.path` is a CSV file that is alone in its folder, and the label is binary.
        train_rows: about how many rows the train split will have.
    """
    output_dir = Path(resolve(settings.output_dir)).absolute()
    table = settings.table
    splits = settings.data.splits
    example_gen = tfx.components.CsvExampleGen(
        input_base=str(Path(resolve(settings.data.path)).parent),
        output_config=tfx.proto.Output(
            split_config=tfx.proto.SplitConfig(
                splits=[
                    tfx.proto.SplitConfig.Split(name=name, hash_buckets=buckets) for name, buckets in splits.items()
                ]
            )
        ),
    ).with_id(nodes.EXAMPLE_GEN)
    statistics_gen = tfx.components.StatisticsGen(examples=example_gen.outputs["examples"])
    schema_gen = tfx.components.SchemaGen(statistics=statistics_gen.outputs["statistics"], infer_feature_shape=False)
    chain = [example_gen, statistics_gen, schema_gen]
    if settings.curated_schema.path is not None:
        schema_gen = tfx.components.ImportSchemaGen(schema_file=resolve(settings.curated_schema.path))
        chain.append(schema_gen)
    schema = schema_gen.outputs["schema"]
    example_validator = tfx.components.ExampleValidator(statistics=statistics_gen.outputs["statistics"], schema=schema)
    transform = tfx.components.Transform(
        examples=example_gen.outputs["examples"],
        schema=schema,
        preprocessing_fn=settings.transform.preprocessing_fn,
        custom_config={"features": table.model_dump(mode="json")},
        disable_statistics=not settings.transform.statistics,
        disable_analyzer_cache=True,
    )
    trainer = tfx.components.Trainer(
        run_fn="benchmarks.stock_training.run_fn",
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema,
        train_args=tfx.proto.TrainArgs(splits=["train"]),
        eval_args=tfx.proto.EvalArgs(splits=["eval"]),
        custom_config={
            "settings": {
                "model": settings.model.model_dump(mode="json"),
                "training": settings.training.model_dump(mode="json"),
            },
            "features": table.model_dump(mode="json"),
            TRAIN_ROWS_KEY: train_rows,
        },
    )
    latest_blessed = tfx.dsl.Resolver(
        strategy_class=tfx.dsl.experimental.LatestBlessedModelStrategy,
        model=tfx.dsl.Channel(type=tfx.types.standard_artifacts.Model),
        model_blessing=tfx.dsl.Channel(type=tfx.types.standard_artifacts.ModelBlessing),
    ).with_id(nodes.LATEST_BLESSED)
    evaluator = tfx.components.Evaluator(
        examples=example_gen.outputs["examples"],
        model=trainer.outputs["model"],
        baseline_model=latest_blessed.outputs["model"],
        eval_config=stock_eval_config(settings),
    )
    pusher = tfx.components.Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination=tfx.proto.PushDestination(
            filesystem=tfx.proto.PushDestination.Filesystem(
                base_directory=str(output_dir / "releases" / settings.model_name)
            )
        ),
    )
    return tfx.dsl.Pipeline(
        pipeline_name=settings.name,
        pipeline_root=str(output_dir / "artifacts"),
        components=[*chain, example_validator, transform, trainer, latest_blessed, evaluator, pusher],
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
            str(output_dir / "metadata" / "metadata.sqlite")
        ),
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the pipeline."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.stock_pipeline", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--train-rows", type=int, required=True, help="rows of the train split, about")
    parser.add_argument("-c", "--config", type=Path, action="append", required=True, help="settings file")
    parser.add_argument("--set", action="append", default=[], metavar="A.B=VALUE", help="override one setting")
    given = parser.parse_args(argv)
    settings = load_settings(given.config, given.set)
    tfx.orchestration.LocalDagRunner().run(create_stock_pipeline(settings, given.train_rows))


if __name__ == "__main__":
    main()
