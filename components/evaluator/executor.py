"""Evaluator's executor: TFX's, by whole batches where it can, with a record of metrics and verdict to read."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import tensorflow_model_analysis as tfma
from absl import flags
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_model_analysis.proto.config_pb2 import EvalConfig
from tensorflow_model_analysis.utils import config_util
from tfx.components.evaluator import constants
from tfx.components.evaluator.executor import Executor as TfxExecutor
from tfx.components.util import tfxio_utils
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import io_utils, json_utils, path_utils

from components.evaluator import metrics_table
from components.evaluator.batches import EvaluateBatches, understands
from components.evaluator.verdict import thresholds, verdict
from schemas.artifacts import LABEL_PROPERTY
from schemas.errors import EvaluationError
from serving import blessing as blessing_file
from serving.blessing import Blessing

FORCE_BLESS_KEY = "force_bless"
LABEL_KEY = "label"

FORCED_PROPERTY = "forced"
BASELINE_PROPERTY = "baseline"
NO_BASELINE = "none"

_SIGNATURES = ("serving_default", "transform_features")
_BATCHES_BY_SIZE = "tfxio_use_byte_size_batching"


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
                _check_signatures(model, key)
        config = json_format.Parse(exec_properties[standard_component_specs.EVAL_CONFIG_KEY], EvalConfig())
        with batches_of_a_fixed_size():
            if understands(config):
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
        _settle(artifact, judged, input_dict[standard_component_specs.MODEL_KEY][0], baselines)
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
            spec.name: _saved_model((baselines if spec.is_baseline else candidates)[0]) for spec in config.model_specs
        }
        source = tfxio_utils.get_tfxio_factory_from_artifact(
            examples, ["Evaluator"], raw_record_column_name=tfma.ARROW_INPUT_COLUMN
        )
        patterns = [
            io_utils.all_files_pattern(folder)
            for split in json_utils.loads(exec_properties[standard_component_specs.EXAMPLE_SPLITS_KEY])
            for folder in artifact_utils.get_split_uris(examples, split)
        ]
        writers = tfma.default_writers(
            artifact_utils.get_single_uri(output_dict[standard_component_specs.EVALUATION_KEY]),
            [
                tfma.default_eval_shared_model(folder, model_name=name, eval_config=config)
                for name, folder in folders.items()
            ],
            config,
        )
        with self._make_beam_pipeline() as pipeline:
            batches = [
                pipeline | f"Read{number}" >> source(pattern).BeamSource() for number, pattern in enumerate(patterns)
            ]
            _ = (
                batches
                | "All" >> beam.Flatten(pipeline=pipeline)
                | "Evaluate" >> EvaluateBatches(config, folders)
                | "Write" >> tfma.WriteResults(writers)
            )


def _saved_model(model: Any) -> str:
    """Folder of a Model artifact's SavedModel."""
    return str(path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model)))


def _check_signatures(model: Any, role: str) -> None:
    directory = Path(_saved_model(model))
    try:
        saved = saved_model_pb2.SavedModel.FromString((directory / "saved_model.pb").read_bytes())
    except (OSError, DecodeError) as error:
        raise EvaluationError(
            "The model to evaluate cannot be read.",
            where=f"{role}: {directory}",
            received=error,
            fix="Train it again; if it was trained by your own run_fn, export it to fn_args.serving_model_dir.",
        ) from error
    found = {name for graph in saved.meta_graphs for name in graph.signature_def if not name.startswith("__")}
    if missing := [name for name in _SIGNATURES if name not in found]:
        raise EvaluationError(
            f"The model lacks the signature {missing[0]!r}, which the evaluation calls.",
            where=f"{role}: {directory}",
            received=f"signatures {', '.join(sorted(found)) or 'none'}",
            fix="Export serving_default (predictions) and transform_features (labels), both from serialized examples.",
        )


@contextlib.contextmanager
def batches_of_a_fixed_size() -> Iterator[None]:
    """While the Beam pipeline is made, TFXIO sizes batches by bytes instead of by how fast the machine happens to be.

    The last bits of a prediction depend on the batch it is in, and equal runs must give equal metrics.
    """
    if _BATCHES_BY_SIZE not in flags.FLAGS:
        yield
        return
    flag = flags.FLAGS[_BATCHES_BY_SIZE]
    before, was_parsed = flag.value, flags.FLAGS.is_parsed()
    # TFXIO reads the value only in a process that has parsed its flags.
    flags.FLAGS.mark_as_parsed()
    flag.value = True
    try:
        yield
    finally:
        flag.value = before
        if not was_parsed:
            flags.FLAGS.unparse_flags()


def _validation(evaluation: str, config: Any, has_baseline: bool) -> Any:
    """TFMA's validation, or None where it had no threshold to check."""
    if has_baseline or any(threshold.HasField("value_threshold") for _, threshold in thresholds(config)):
        return tfma.load_validation_result(evaluation)
    return None


def _settle(artifact: Any, judged: Blessing, model: Any, baselines: list[Any]) -> None:
    """Makes the ModelBlessing artifact say what the verdict says, whatever TFX's executor has left there."""
    directory = Path(artifact.uri)
    directory.mkdir(parents=True, exist_ok=True)
    names = {True: constants.BLESSED_FILE_NAME, False: constants.NOT_BLESSED_FILE_NAME}
    (directory / names[not judged.blessed]).unlink(missing_ok=True)
    (directory / names[judged.blessed]).touch()
    value = constants.BLESSED_VALUE if judged.blessed else constants.NOT_BLESSED_VALUE
    artifact.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, value)
    # TFX sets these two only when it has validated, but the search for the latest blessed model needs them.
    artifact.set_string_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri)
    artifact.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id)
    for found in baselines:
        artifact.set_string_custom_property(constants.ARTIFACT_PROPERTY_BASELINE_MODEL_URI_KEY, found.uri)
        artifact.set_int_custom_property(constants.ARTIFACT_PROPERTY_BASELINE_MODEL_ID_KEY, found.id)
    artifact.set_string_custom_property(BASELINE_PROPERTY, judged.baseline or NO_BASELINE)
    if judged.forced is not None:
        artifact.set_string_custom_property(FORCED_PROPERTY, judged.forced)
