"""Which evaluations are made by whole batches."""

from __future__ import annotations

from collections.abc import Mapping

from tensorflow_model_analysis.proto.config_pb2 import EvalConfig

from components.evaluator.scores_metric import ScoresMetric

_FIELDS: Mapping[str, tuple[str, ...]] = {
    "model_specs": (
        *("signature_name", "preprocessing_function_names"),
        *("label_key", "prediction_key", "example_weight_key"),
    ),
    "slicing_specs": ("feature_keys", "feature_values"),
    "metrics_specs": ("metrics", "thresholds", "per_slice_thresholds"),
    "options": ("include_default_metrics",),
}
"""Fields of `tfma.EvalConfig` that mean the same in `components.evaluator.batches`."""


def understood(config: EvalConfig) -> bool:
    """Whether an evaluation can be made by batches.

    Args:
        config: as it was written, before TFMA adds the baseline. It may ask for ScoresMetric, once, and for nothing
            that TFMA does by rows.
    """
    metrics = [metric for spec in config.metrics_specs for metric in spec.metrics]
    return (
        not _beyond(config)
        and [(metric.module, metric.class_name) for metric in metrics] == [(ScoresMetric.__module__, "ScoresMetric")]
        and len(config.metrics_specs) == len(config.model_specs) == 1
        and len(config.slicing_specs) > 0
        and all(
            len(spec.preprocessing_function_names) == 1
            and spec.signature_name
            and spec.label_key
            and spec.prediction_key
            for spec in config.model_specs
        )
        and config.options.HasField("include_default_metrics")
        and not config.options.include_default_metrics.value
    )


def _beyond(config: EvalConfig) -> bool:
    """Whether a field is set that nothing here knows."""
    rest = EvalConfig()
    rest.CopyFrom(config)
    for section, names in _FIELDS.items():
        for spec in [rest.options] if section == "options" else getattr(rest, section):
            for name in names:
                spec.ClearField(name)
            if spec.ByteSize():
                return True
        rest.ClearField(section)
    return bool(rest.ByteSize())
