"""The evaluation of the stock side: the slices, metrics and thresholds of ours, computed by TFMA's own metrics."""

from __future__ import annotations

import json

import tensorflow_model_analysis as tfma

from configs.settings import Settings
from pipeline.evaluation import eval_config

_CLASSES = {
    "auc": "AUC",
    "auc_precision_recall": "AUCPrecisionRecall",
    "accuracy": "BinaryAccuracy",
    "precision": "Precision",
    "recall": "Recall",
    "loss": "BinaryCrossEntropy",
    "calibration": "Calibration",
    "mean_label": "MeanLabel",
    "mean_prediction": "MeanPrediction",
    "confusion_matrix": "ConfusionMatrixAtThresholds",
}
"""TFMA's metrics by the names of ours, for a yes/no label."""


def stock_eval_config(settings: Settings) -> tfma.EvalConfig:
    """Our evaluation with TFMA's metrics in place of our one, which computes all.

    Args:
        settings: with a binary label.
    """
    config = eval_config(settings)
    (spec,) = config.metrics_specs
    ours = json.loads(spec.metrics[0].config)
    options = {"confusion_matrix": {"thresholds": ours["thresholds"]}}
    metrics = [tfma.MetricConfig(class_name="ExampleCount")] + [
        tfma.MetricConfig(
            class_name=_CLASSES[name],
            config=json.dumps({"name": name, **options.get(name, {})}),
            per_slice_thresholds=spec.per_slice_thresholds[name].thresholds
            if name in spec.per_slice_thresholds
            else (),
        )
        for name in ours["metrics"]
    ]
    spec.CopyFrom(tfma.MetricsSpec(metrics=metrics))
    return config
