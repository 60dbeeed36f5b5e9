"""Executor of BulkInferrer: unpacks artifacts and parameters, calls `infer`, and accounts for the rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from absl import logging
from tfx.dsl.components.base import base_beam_executor
from tfx.types import artifact_utils
from tfx.types import standard_component_specs as keys

from components.bulk_inferrer.inference_job import Inference, Predicted, infer
from components.bulk_inferrer.manifest import Manifest
from components.bulk_inferrer.model_inputs import raw_inputs
from components.bulk_inferrer.prediction_schema import prediction_schema, written_outputs
from components.example_gen.executor import REJECTED_PROPERTY
from components.served_model.saved_model import require_signatures, saved_model
from configs.inference import ALL_ROWS
from schemas.artifacts import ROWS_PROPERTY
from schemas.column_files import column_files, shards
from schemas.errors import RunError
from schemas.transformed import PREDICTION_KEY
from serving.release import FILE_NAME as RELEASE_FILE
from serving.releases import ReleaseStore
from serving.saved_model import checksums, digest

INFERENCE_KEY = "inference"
"""Execution property: JSON of what decides the predictions and the form of their files."""
RELEASES_DIR_KEY = "releases_dir"
MODEL_NAME_KEY = "model_name"
_FINGERPRINT_PROPERTY = "input_fingerprint"


class Executor(base_beam_executor.BaseBeamExecutor):
    """Predicts for all rows of the examples."""

    def Do(  # noqa: N802  (TFX's name)
        self, input_dict: dict[str, list[Any]], output_dict: dict[str, list[Any]], exec_properties: dict[str, Any]
    ) -> None:
        """Writes the InferenceResult artifact.

        Args:
            input_dict: `examples`, one artifact of InferenceExampleGen, and `model`, one artifact or none.
            output_dict: `inference_result`.
            exec_properties: as `BulkInferrer` makes them.

        Raises:
            RunError: there is no model, or rows were lost.
            EvaluationError: the model cannot be asked as is wanted.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        examples = artifact_utils.get_single_instance(input_dict[keys.EXAMPLES_KEY])
        result = artifact_utils.get_single_instance(output_dict[keys.INFERENCE_RESULT_KEY])
        options = json.loads(exec_properties[INFERENCE_KEY])
        models = input_dict.get(keys.MODEL_KEY) or []
        if not models:
            raise RunError(
                "There is no blessed model yet to predict with.",
                where="inference.model: the newest blessed model of this pipeline and label",
                received="none",
                fix="Train one with the same settings: scalable-tf run -c FILE; or name a model in inference.model.",
            )
        (model,) = models
        (signature,) = require_signatures(
            model,
            "model",
            [options["signature"]],
            caller="the inference",
            fix="Name one of them in inference.signature.",
        )
        outputs = written_outputs(signature, options["signature"], options["outputs"])
        named = tuple(options["named"]) if outputs == (PREDICTION_KEY,) and not options["outputs"] else ()
        inference = Inference(
            model=saved_model(model),
            signature=options["signature"],
            inputs=raw_inputs(signature, options["signature"], options["columns"]),
            outputs=outputs,
            schema=prediction_schema(signature, outputs, named, options["id_columns"]),
            named=named,
            classes=tuple(options["classes"]),
            format=options["format"],
        )
        uri = artifact_utils.get_split_uri([examples], ALL_ROWS)
        if not column_files(uri):
            raise RunError(
                "The examples have no column files beside them, which have the ids of the rows.",
                where=uri,
                fix="Make them with InferenceExampleGen.",
            )
        predicted = infer(shards(uri), result.uri, inference, self._make_beam_pipeline)
        rows = _accounted(examples, predicted)
        store = ReleaseStore(Path(exec_properties[RELEASES_DIR_KEY]), exec_properties[MODEL_NAME_KEY])
        manifest = Manifest(
            model=_described(model, store),
            data={
                "examples": examples.uri,
                "span": examples.span,
                "fingerprint": examples.get_string_custom_property(_FINGERPRINT_PROPERTY),
            },
            rows=rows,
            columns={field.name: str(field.type) for field in inference.schema},
            classes=list(inference.classes) if named else [],
            signature=inference.signature,
            format=inference.format,
            files={one.name: {"rows": one.rows, "sha256": one.sha256} for one in predicted},
        )
        manifest.save(Path(result.uri))
        result.set_int_custom_property(ROWS_PROPERTY, rows["predicted"])
        result.set_int_custom_property("span", examples.span)
        logging.info("Predicted %s rows in %d files by %s", rows, len(predicted), manifest.model)


def _accounted(examples: Any, predicted: list[Predicted]) -> dict[str, int]:
    """The rows that were read, rejected and predicted, which must add up."""
    kept = json.loads(examples.get_string_custom_property(ROWS_PROPERTY))[ALL_ROWS]
    rejected = examples.get_int_custom_property(REJECTED_PROPERTY)
    done = sum(one.rows for one in predicted)
    if done != kept:
        raise RunError(
            "Rows were lost on the way from the examples to the predictions.",
            where=examples.uri,
            received=f"{kept + rejected} read, {rejected} rejected, {done} predicted",
            fix="The engine lost work, or the examples were changed; run again.",
        )
    return {"read": kept + rejected, "rejected": rejected, "predicted": done}


def _described(model: Any, store: ReleaseStore) -> dict[str, Any]:
    """The model, and the newest release that has its files."""
    files = checksums(Path(saved_model(model)))
    files.pop(RELEASE_FILE, None)
    versions = [release.version for release in store.releases() if release.is_of(files)]
    return {"uri": model.uri, "digest": digest(files), "release": max(versions, default=None)}
