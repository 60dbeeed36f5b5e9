from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tensorflow_model_analysis as tfma

from benchmarks.stock_evaluation import stock_eval_config
from configs.load import load_settings
from pipeline.evaluation import eval_config

TAXI = Path(__file__).resolve().parents[3] / "configs" / "taxi.yaml"


@pytest.fixture(scope="module")
def ours() -> tfma.EvalConfig:
    return eval_config(load_settings([TAXI]))


@pytest.fixture(scope="module")
def stock() -> tfma.EvalConfig:
    return stock_eval_config(load_settings([TAXI]))


def _metrics(config: tfma.EvalConfig) -> dict[str, Any]:
    (spec,) = config.metrics_specs
    return {json.loads(metric.config or "{}").get("name", metric.class_name): metric for metric in spec.metrics}


def test_every_metric_of_ours_is_one_of_tfma(ours: tfma.EvalConfig, stock: tfma.EvalConfig) -> None:
    ours_metrics = json.loads(ours.metrics_specs[0].metrics[0].config)["metrics"]
    found = _metrics(stock)

    assert set(found) == {*ours_metrics, "ExampleCount"}
    assert all(hasattr(tfma.metrics, metric.class_name) for metric in found.values())


def test_slices_and_signatures_are_equal(ours: tfma.EvalConfig, stock: tfma.EvalConfig) -> None:
    assert [list(spec.feature_keys) for spec in stock.slicing_specs] == [[], ["payment_type"], ["trip_start_hour"]]
    assert stock.slicing_specs == ours.slicing_specs
    assert stock.model_specs == ours.model_specs


def test_the_threshold_holds_for_all_rows_together(stock: tfma.EvalConfig) -> None:
    found = {name: metric for name, metric in _metrics(stock).items() if metric.per_slice_thresholds}

    assert list(found) == ["auc"]
    (threshold,) = found["auc"].per_slice_thresholds
    assert [list(spec.feature_keys) for spec in threshold.slicing_specs] == [[]]
    assert threshold.threshold.value_threshold.lower_bound.value == 0.9
