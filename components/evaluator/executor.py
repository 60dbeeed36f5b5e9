"""Evaluator's executor: TFX's, by whole batches where it can, with a record of metrics and verdict to read."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import apache_beam as beam
import tensorflow_model_analysis as tfma
from google.protobuf import json_format
from tensorflow_model_analysis.proto.config_pb2 import EvalConfig
from tensorflow_model_analysis.utils import config_util
from tfx.components.evaluator.executor import Executor as TfxExecutor
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import json_utils

from components.evaluator import metrics_table
from components.evaluator.batches import EvaluateBatches
from components.evaluator.fixed_batches import batches_of_a_fixed_size
from components.evaluator.settle import settle
from components.evaluator.understood import understood
from components.evaluator.verdict import thresholds, verdict
from components.examples.split_batches import SplitBatches
from components.served_model.saved_model import require_signatures, saved_model
from schemas.artifacts import LABEL_PROPERTY, SPAN_PROPERTY
from schemas.errors import EvaluationError
from serving import blessing as blessing_file

FORCE_BLESS_KEY = "force_bless"
LABEL_KEY = "label"


class Executor(TfxExecutor):
    """Evaluates as TFX does, writes metrics.json and blessing.json beside TFMA's result, and settles the blessing."""

    def Do(  # noqa: N802
        self, input_dict: dict[str, list[Any]], output_dict: dict[str, list[Any]], exec_properties: dict[str, Any]
    ) -> None:
        """Runs the evaluation.

        Raises:
            EvaluationError: the evaluated split has no rows, or a model lacks a signature that the evaluation calls.
        """
        for key in (standard_component_specs.MODEL_KEY, standard_component_specs.BASELINE_MODEL_KEY):
            for model in input_dict.get(key) or ():
                require_signatures(
                    model,
                    key,
                    ("serving_default", "transform_features"),
                    caller="the evaluation",
                    fix="Export serving_default (predictions) and transform_features (labels), both from serialized "
                    "examples.",
                )
        config = json_format.Parse(exec_properties[standard_component_specs.EVAL_CONFIG_KEY], EvalConfig())
        with batches_of_a_fixed_size():
            if understood(config):
                self._evaluate(input_dict, output_dict, config, exec_properties)
            else:
                super().Do(input_dict, output_dict, exec_properties)
        evaluation = Path(artifact_utils.get_single_uri(output_dict[standard_component_specs.EVALUATION_KEY]))
        baselines = input_dict.get(standard_component_specs.BASELINE_MODEL_KEY) or []
        baseline = baselines[0].uri if baselines else None

        result = tfma.load_eval_result(str(evaluation), model_name=tfma.CANDIDATE_KEY if baselines else None)
        table = metrics_table.metrics_table(result)
        if not table.get(metrics_table.OVERALL, {}).get("example_count"):
            raise EvaluationError(
                "There is no row to evaluate the model on.",
                where="the split that is evaluated",
                received="0 rows",
                fix="Give more data, or give that split more hash buckets in data.splits.",
            )
        (evaluation / metrics_table.FILE_NAME).write_text(json.dumps(table, indent=2, allow_nan=False) + "\n")

        judged = verdict(
            _validation(str(evaluation), config, bool(baselines)),
            config,
            table,
            baseline=baseline,
            force=exec_properties.get(FORCE_BLESS_KEY) or "",
        )
        judged.save(evaluation / blessing_file.FILE_NAME)
        artifact = artifact_utils.get_single_instance(output_dict[standard_component_specs.BLESSING_KEY])
        artifact.set_string_custom_property(LABEL_PROPERTY, exec_properties[LABEL_KEY])
        spans = [one.span for one in input_dict[standard_component_specs.EXAMPLES_KEY]]
        artifact.set_int_custom_property(SPAN_PROPERTY, max(spans))
        settle(artifact, judged, input_dict[standard_component_specs.MODEL_KEY][0], baselines)
        logging.info("Verdict: %s", judged)

    def _evaluate(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        config: EvalConfig,
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes what TFMA would, by whole batches."""
        self._log_startup(input_dict, output_dict, exec_properties)
        examples = input_dict[standard_component_specs.EXAMPLES_KEY]
        baselines = input_dict.get(standard_component_specs.BASELINE_MODEL_KEY) or []
        config = config_util.update_eval_config_with_defaults(config, has_baseline=bool(baselines), rubber_stamp=True)
        candidates = input_dict[standard_component_specs.MODEL_KEY]
        folders = {
            spec.name: saved_model((baselines if spec.is_baseline else candidates)[0]) for spec in config.model_specs
        }
        splits = json_utils.loads(exec_properties[standard_component_specs.EXAMPLE_SPLITS_KEY])
        folder = artifact_utils.get_single_uri(output_dict[standard_component_specs.EVALUATION_KEY])
        with self._make_beam_pipeline() as pipeline:
            batches = [
                pipeline
                | f"Read{number}[{split}]"
                >> SplitBatches(one, split, reader="Evaluator", record_column=tfma.ARROW_INPUT_COLUMN)
                for number, one in enumerate(examples)
                for split in splits
            ]
            # Without a Flatten, several processes can share the files of a split.
            together = batches[0] if len(batches) == 1 else batches | "All" >> beam.Flatten(pipeline=pipeline)
            _ = together | "Evaluate" >> EvaluateBatches(config, folders, folder)


def _validation(evaluation: str, config: Any, has_baseline: bool) -> Any:
    """TFMA's validation, or None where it had no threshold to check."""
    if has_baseline or any(threshold.HasField("value_threshold") for _, threshold in thresholds(config)):
        return tfma.load_validation_result(evaluation)
    return None
