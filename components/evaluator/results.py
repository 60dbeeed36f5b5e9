"""TFMA's result files, written in one place.

TFMA's own writers are Beam transforms, dozens of steps for five small files: making them takes longer than an
evaluation of some ten thousand rows. What goes into the files is made by TFMA's functions here, too, so that
`tfma.load_eval_result` and `tfma.load_validation_result` read them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

import tensorflow as tf
import tensorflow_model_analysis as tfma
from google.protobuf import json_format
from tensorflow_model_analysis.evaluators import metrics_validator
from tensorflow_model_analysis.proto import config_pb2
from tensorflow_model_analysis.proto.config_pb2 import EvalConfig
from tensorflow_model_analysis.writers.metrics_plots_and_validations_writer import (
    CombineValidations,
    convert_slice_metrics_to_proto,
)

from components.evaluator.slices import SliceKey

_ONE_SHARD = "-00000-of-00001.tfrecord"

Metrics = Mapping[SliceKey, Mapping[Any, Any]]


def write_results(metrics: Metrics, config: EvalConfig, models: Mapping[str, str], folder: str) -> None:
    """Writes metrics, the validation against the thresholds, and the config.

    Args:
        metrics: values by `tfma.metrics.MetricKey` of each slice.
        config: with TFMA's defaults.
        models: folder of each model's SavedModel, by its name in the config.
        folder: of the ModelEvaluation artifact.
    """
    slices = sorted(metrics.items(), key=lambda one: repr(one[0]))
    _write(folder, tfma.METRICS_KEY + _ONE_SHARD, [convert_slice_metrics_to_proto(one, None) for one in slices])
    _write(folder, tfma.VALIDATIONS_KEY + ".tfrecord", [_validation(slices, config)])
    for nothing in (tfma.PLOTS_KEY, tfma.ATTRIBUTIONS_KEY):
        _write(folder, nothing + _ONE_SHARD, [])
    run = config_pb2.EvalRun(
        eval_config=config,
        version=tfma.VERSION_STRING,
        data_location="<user provided PCollection>",
        file_format="<unknown>",
        model_locations=models,
    )
    with tf.io.gfile.GFile(os.path.join(folder, "eval_config.json"), "w") as file:
        file.write(json_format.MessageToJson(run))


def _validation(slices: Iterable[tuple[SliceKey, Any]], config: EvalConfig) -> Any:
    """The `tfma.ValidationResult` of all slices; without any, it is not passed."""
    combined = CombineValidations(config)
    found = combined.create_accumulator()
    for one in slices:
        found = combined.add_input(found, metrics_validator.validate_metrics(one, config))
    return combined.extract_output(found)


def _write(folder: str, name: str, messages: Iterable[Any]) -> None:
    with tf.io.TFRecordWriter(os.path.join(folder, name)) as writer:
        for message in messages:
            writer.write(message.SerializeToString())
