"""What an evaluation by batches gives, beside what TFMA gives that goes through all rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma

from components.evaluator.understood import understood
from pipeline.evaluation import eval_config
from tests.unit.components.evaluator.evaluating import Evaluation, evaluate, settings

pytestmark = pytest.mark.filterwarnings("ignore")

_COUNT = tfma.MetricConfig(class_name="WeightedExampleCount")
"""A metric that is not ours: with it, everything goes through TFMA."""
_SLICED = {"thresholds": {"auc": {"lower": 0.1}}, "slices": [["payment_type"], ["payment_type", "hour"]]}


def test_it_understands_what_the_settings_ask_for() -> None:
    assert understood(eval_config(settings(evaluation=_SLICED)))


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config.metrics_specs[0].metrics.append(_COUNT),
        lambda config: config.metrics_specs[0].ClearField("metrics"),
        lambda config: setattr(config.metrics_specs[0], "query_key", "trip"),
        lambda config: config.metrics_specs[0].binarize.class_ids.values.append(1),
        lambda config: setattr(config.slicing_specs.add(), "slice_keys_sql", "SELECT 1"),
        lambda config: config.cross_slicing_specs.add(),
        lambda config: setattr(config.options.min_slice_size, "value", 10),
        lambda config: setattr(config.options.include_default_metrics, "value", True),
        lambda config: config.options.ClearField("include_default_metrics"),
        lambda config: setattr(config.model_specs[0], "model_type", "tf_lite"),
        lambda config: config.model_specs[0].ClearField("preprocessing_function_names"),
        lambda config: config.model_specs.add(),
        lambda config: config.metrics_specs.add(),
        lambda config: config.ClearField("slicing_specs"),
        lambda config: config.model_specs[0].ClearField("label_key"),
    ],
)
def test_all_else_is_left_to_tfma(change: Callable[[Any], Any]) -> None:
    config = eval_config(settings(evaluation=_SLICED))
    change(config)
    assert not understood(config)


def rows(count: int, classes: int = 1) -> list[dict[str, Any]]:
    random = np.random.default_rng(1)
    return [
        {
            "label": float(random.integers(max(2, classes))),
            "weight": float(random.integers(1, 4)),
            # Some predictions are equal.
            **{name: float(random.integers(1, 50)) / 50 for name in "abc"[:classes]},
            "payment_type": [None, "Cash", "Credit", ["Cash", "Prcard"]][number % 4],
            "hour": number % 3,
        }
        for number in range(count)
    ]


def both(
    folder: Path, examples: Path, chosen: Any, model: Path, baseline: Path | None = None
) -> tuple[Evaluation, Evaluation]:
    """The same evaluation by batches, and by TFMA."""
    ours = evaluate(folder / "ours", examples, model, chosen, baseline=baseline)
    return ours, evaluate(folder / "tfma", examples, model, chosen, baseline=baseline, metrics=(_COUNT,))


def numbers(value: Any) -> list[float | None]:
    """Of a metric, also of one that is a table."""
    if isinstance(value, dict | list):
        return [number for part in (value.values() if isinstance(value, dict) else value) for number in numbers(part)]
    return [value]


def assert_same(ours: Evaluation, theirs: Evaluation) -> None:
    expected = theirs.metrics
    assert ours.metrics.keys() == expected.keys()
    for name, values in ours.metrics.items():
        assert values.keys() == expected[name].keys() - {"weighted_example_count"}
        for metric, value in values.items():
            assert numbers(value) == pytest.approx(numbers(expected[name][metric]), rel=1e-6), (name, metric)
    assert ours.verdict == theirs.verdict


@pytest.mark.slow
def test_binary_predictions_with_weights_and_a_baseline(
    tmp_path: Path, write_examples: Callable[..., Path], export: Callable[..., Path]
) -> None:
    examples = write_examples(tmp_path / "examples", rows(200))
    # A second file, which becomes a batch of its own: it lacks a column that the slices read.
    without_payment = [{**row, "payment_type": None} for row in rows(50)]
    write_examples(tmp_path / "more", without_payment)
    (more,) = (tmp_path / "more/Split-eval").iterdir()
    more.rename(examples / "Split-eval" / f"second-{more.name}")
    model, baseline = export(tmp_path / "model", ("a",)), export(tmp_path / "baseline", ("a",), scale=0.5)
    evaluation = {**_SLICED, "change_thresholds": {"loss": {"absolute": 0.1}, "auc": {"absolute": 0.0}}}
    chosen = settings(example_weight="weight", evaluation=evaluation)
    ours, theirs = both(tmp_path, examples, chosen, model, baseline)
    assert len(ours.metrics) > 8
    assert_same(ours, theirs)
    # Differences from the baseline, too, which only TFMA's result has.
    (found, expected) = (
        dict(tfma.load_eval_result(str(one.folder / "evaluation"), model_name=tfma.CANDIDATE_KEY).slicing_metrics)
        for one in (ours, theirs)
    )
    assert {name for name in found[()][""][""] if name.endswith("_diff")} > {"auc_diff", "confusion_matrix_diff"}
    for key, values in found.items():
        for name, value in values[""][""].items():
            if "doubleValue" in value:
                assert value == pytest.approx(expected[key][""][""][name], rel=1e-6, nan_ok=True), (key, name)
    properties = [dict(one.blessing.mlmd_artifact.custom_properties) for one in (ours, theirs)]
    assert properties[0].keys() == properties[1].keys()
    files = [sorted(path.name for path in (one.folder / "evaluation").iterdir()) for one in (ours, theirs)]
    assert files[0] == files[1]


@pytest.mark.slow
def test_classes(tmp_path: Path, write_examples: Callable[..., Path], export: Callable[..., Path]) -> None:
    examples = write_examples(tmp_path / "examples", rows(100, classes=3))
    model = export(tmp_path / "model", ("a", "b", "c"), label_type=tf.int64)
    label = {"kind": "integer", "column": "species", "classes": 3}
    chosen = settings(label=label, evaluation={"thresholds": {"accuracy": {"lower": 0.9}}, "slices": [["hour"]]})
    assert_same(*both(tmp_path, examples, chosen, model))


@pytest.mark.slow
def test_numbers(tmp_path: Path, write_examples: Callable[..., Path], export: Callable[..., Path]) -> None:
    examples = write_examples(tmp_path / "examples", rows(100))
    chosen = settings(
        label={"kind": "numeric", "column": "fare"},
        evaluation={"thresholds": {"loss": {"upper": 9.0}}, "slices": [["payment_type"]]},
    )
    assert_same(*both(tmp_path, examples, chosen, export(tmp_path / "model", ("a",))))
