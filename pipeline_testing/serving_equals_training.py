"""Compares what training saw with what serving computes for the same rows, feature by feature."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf
from tensorflow_transform.tf_metadata.dataset_metadata import DatasetMetadata
from tfx.components.transform.component import Transform

from configs.settings import Transform as TransformSettings
from pipeline import nodes
from pipeline_testing import read
from pipeline_testing.pipeline_run import PipelineRun
from pipeline_testing.requests import by_columns, by_examples, by_graph, first_row
from pipeline_testing.rows import Rows, column_kinds, to_rows
from pipeline_testing.run_component import RunComponent
from pipeline_testing.skew import Arrays, Skew, compare
from schemas.errors import RunError
from schemas.features import FeatureTable
from schemas.transformed import LABEL_KEY, WEIGHT_KEY

_TYPES = {"int": tf.int64, "float": tf.float32, "bytes": tf.string, "string": tf.string, "none": tf.string}


class ServingEqualsTraining:
    """The fixture `assert_serving_equals_training`.

    Args:
        run_component: runs Transform.
    """

    def __init__(self, run_component: RunComponent) -> None:
        self._run_component = run_component

    def __call__(
        self,
        trained: FeatureTable | Callable[..., Any] | PipelineRun,
        rows: Rows | Mapping[str, Rows] | None = None,
        *,
        tolerance: float = 1e-5,
        limit: int = 100,
    ) -> None:
        """Fails with the features and rows that differ.

        Training saw each row among others; here each is a request of its own, and with a feature table or a run it
        lacks the columns that only the label and the weight need, as in production. So a feature that depends on its
        batch or on the label is found, too. Compared are:

        - of a feature table or a preprocessing_fn (a function in a module): what Transform makes of `rows`, with what
          the transform graph makes of them that it exports;
        - of a pipeline's run: the same of its own examples; and if it trained a model, also the model's signature
          `transform_features`, and `predict`, which is asked by columns, with `serving_default`.

        Args:
            trained: the features, or the run.
            rows: for features: what is trained and then asked, by split if wanted; vocabularies and means come from
                the split `train`.
            tolerance: of floats, relative and near zero absolute; everything else must be equal.
            limit: rows of each split that are asked.

        Raises:
            AssertionError: something differs.
            ScalableTFError: Transform fails on these rows.
        """
        __tracebackhide__ = True
        if isinstance(trained, PipelineRun):
            found = _compare_run(trained, tolerance, limit)
        elif rows is None:
            raise RunError("There are no rows to compare on.", where="assert_serving_equals_training", fix="Give rows.")
        else:
            found = self._compare_features(trained, rows, tolerance, limit)
        if any(found):
            raise AssertionError("\n".join(str(skew) for skew in found if skew))

    def _compare_features(
        self, trained: FeatureTable | Callable[..., Any], rows: Any, tolerance: float, limit: int
    ) -> list[Skew]:
        splits = {
            split: to_rows(some) for split, some in (rows if isinstance(rows, Mapping) else {"train": rows}).items()
        }
        arguments: dict[str, Any]
        if isinstance(trained, FeatureTable):
            kinds: Mapping[str, str] = trained.columns
            columns = list(trained.inputs)
            config = {"features": trained.model_dump(mode="json")}
            arguments = {"preprocessing_fn": TransformSettings().preprocessing_fn, "custom_config": config}
        else:
            kinds = column_kinds([row for some in splits.values() for row in some])
            columns = list(kinds)
            arguments = {"preprocessing_fn": f"{trained.__module__}.{trained.__qualname__}"}
        splits = {split: [_typed(row, kinds) for row in some] for split, some in splits.items()}
        spec = {name: tf.io.VarLenFeature(_TYPES[kind]) for name, kind in kinds.items()}
        transform = self._run_component(
            Transform,
            examples=splits,
            schema=DatasetMetadata.from_feature_spec(spec).schema,
            disable_statistics=True,
            disable_analyzer_cache=True,
            **arguments,
        )
        graph = read.transform_graph(transform["transform_graph"])
        serve = by_graph(graph, columns)
        found = []
        for split, some in splits.items():
            seen = _seen(transform["transformed_examples"], split, graph, limit)
            found.append(compare(f"the transform graph, split {split}", seen, some[:limit], serve, tolerance))
        return found


def _compare_run(run: PipelineRun, tolerance: float, limit: int) -> list[Skew]:
    if not run.settings.transform.materialize:
        raise RunError(
            "There are no transformed examples to compare with.",
            where="assert_serving_equals_training",
            received="transform.materialize: false",
            fix="Run the pipeline of the test with transform.materialize: true; the transform graph is the same.",
        )
    examples = run[nodes.EXAMPLE_GEN]["examples"]
    graph = read.transform_graph(run[nodes.TRANSFORM]["transform_graph"])
    columns = list(run.settings.table.inputs)
    ways = {"the transform graph": by_graph(graph, columns)}
    model = read.saved_model(run[nodes.TRAINER]["model"]) if nodes.TRAINER in run.nodes else None
    if model is not None:
        ways["the model's transform_features"] = by_examples(model, "transform_features", columns)
    found = []
    for split in read.splits(examples):
        rows = read.examples(examples, split)[:limit]
        seen = _seen(run[nodes.TRANSFORM]["transformed_examples"], split, graph, limit)
        for way, serve in ways.items():
            found.append(compare(f"{way}, split {split}", seen, rows, serve, tolerance))
        if model is not None and "predict" in model.signatures:
            answered = [by_examples(model, "serving_default", columns)(row) for row in rows]
            way = f"the model's predict against its serving_default, split {split}"
            found.append(compare(way, answered, rows, by_columns(model, columns), tolerance))
    return found


def _typed(row: Mapping[str, Any], kinds: Mapping[str, str]) -> dict[str, Any]:
    """The row with every column, whole numbers among floats as floats."""
    return {
        name: float(row[name]) if kind == "float" and isinstance(row.get(name), int) else row.get(name)
        for name, kind in kinds.items()
    }


def _seen(artifact: read.HasUri, split: str, graph: Any, limit: int) -> Sequence[Arrays]:
    """What training reads, a row at a time, without label and weight."""
    spec = {key: kind for key, kind in graph.transformed_feature_spec().items() if key not in (LABEL_KEY, WEIGHT_KEY)}
    return [
        first_row(tf.io.parse_example(tf.constant([record]), spec)) for record in read.records(artifact, split)[:limit]
    ]
