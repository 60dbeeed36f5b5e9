"""Pusher's executor: collects what is known about the model and hands it to the release store."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfx.components.evaluator import constants
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.evaluator import metrics_table
from schemas.artifacts import BLESSED_PROPERTY, HAS_MODEL_PROPERTY, REASON_PROPERTY
from schemas.errors import ReleaseError
from serving import blessing as blessing_file
from serving.blessing import Blessing
from serving.release import Provenance, Release
from serving.releases import ReleaseStore

MODEL_KEY = "model"
BLESSING_KEY = "blessing"
EVALUATION_KEY = "evaluation"
EXAMPLES_KEY = "examples"
SCHEMA_KEY = "schema"
INFRA_BLESSING_KEY = "infra_blessing"
SMOKE_CHECKED_KEY = "smoke_checked"
PUSHED_MODEL_KEY = "pushed_model"
RELEASES_DIR_KEY = "releases_dir"
MODEL_NAME_KEY = "model_name"
KEEP_KEY = "keep"
KEEP_ALL = 0
PROVENANCE_KEY = "provenance"

# The first three are those of TFX's Pusher, which other components read.
PUSHED_PROPERTY = "pushed"
DESTINATION_PROPERTY = "pushed_destination"
VERSION_PROPERTY = "pushed_version"
RELEASE_KEY_PROPERTY = "release_key"

_PIPELINE = "pipeline"
_CLASSES = "classes"
_FINGERPRINT_PROPERTY = "input_fingerprint"
_SCHEMA_FILE = "schema.pbtxt"


class Executor(BaseExecutor):
    """Releases the model if it is blessed."""

    def Do(  # noqa: N802
        self, input_dict: dict[str, list[Any]], output_dict: dict[str, list[Any]], exec_properties: dict[str, Any]
    ) -> None:
        """Releases the model, or records why not.

        Raises:
            ReleaseError: the model cannot be released; nothing is left behind then.
        """
        pushed = artifact_utils.get_single_instance(output_dict[PUSHED_MODEL_KEY])
        blessing = artifact_utils.get_single_instance(input_dict[BLESSING_KEY])
        evaluation = Path(artifact_utils.get_single_uri(input_dict[EVALUATION_KEY]))
        verdict = Blessing.load(evaluation / blessing_file.FILE_NAME)
        infra_blessings = input_dict.get(INFRA_BLESSING_KEY) or ()
        if reason := _refusal(blessing, verdict, infra_blessings):
            pushed.set_int_custom_property(PUSHED_PROPERTY, 0)
            pushed.set_string_custom_property(REASON_PROPERTY, reason)
            return
        if exec_properties[SMOKE_CHECKED_KEY] and not infra_blessings:
            raise ReleaseError(
                "The model is to be released after a smoke check, and there is no result of one.",
                where=INFRA_BLESSING_KEY,
                received="no artifact: SmokeCheck did not run, or what it found was deleted",
                fix="Run the pipeline again: SmokeCheck checks the model anew.",
            )

        store = ReleaseStore(Path(exec_properties[RELEASES_DIR_KEY]), exec_properties[MODEL_NAME_KEY])
        release = store.publish(
            _source(input_dict),
            self._provenance(input_dict, exec_properties, verdict, evaluation),
        )
        if exec_properties[KEEP_KEY] != KEEP_ALL:
            deleted = store.retain(exec_properties[KEEP_KEY], protected=[release.version])
            logging.info("Versions deleted: %s", deleted)
        self._record(pushed, store.versions()[release.version], release)

    def _provenance(
        self, input_dict: dict[str, list[Any]], exec_properties: dict[str, Any], verdict: Blessing, evaluation: Path
    ) -> Provenance:
        given: dict[str, Any] = json.loads(exec_properties[PROVENANCE_KEY])
        examples = input_dict[EXAMPLES_KEY]
        schema = Path(artifact_utils.get_single_uri(input_dict[SCHEMA_KEY])) / _SCHEMA_FILE
        pipeline, classes = given.pop(_PIPELINE, ""), given.pop(_CLASSES, ())
        return Provenance(
            pipeline=pipeline,
            run_id=(self._context.pipeline_run_id if self._context else None) or "",
            spans=tuple(sorted(artifact.span for artifact in examples)),
            fingerprints={**given, "data": _data_fingerprint(examples)},
            schema_hash=hashlib.sha256(schema.read_bytes()).hexdigest(),
            blessing=verdict,
            metrics=_metrics(evaluation, verdict),
            classes=tuple(classes),
        )

    def _record(self, pushed: Any, destination: Path, release: Release) -> None:
        pushed.set_int_custom_property(PUSHED_PROPERTY, 1)
        pushed.set_string_custom_property(DESTINATION_PROPERTY, str(destination))
        pushed.set_string_custom_property(VERSION_PROPERTY, str(release.version))
        pushed.set_string_custom_property(RELEASE_KEY_PROPERTY, release.key)
        logging.info("Model %s version %d is in %s", release.model, release.version, destination)


def _source(input_dict: dict[str, list[Any]]) -> Path:
    """The SavedModel that is released: the one with warm-up requests, if there is one."""
    for infra_blessing in input_dict.get(INFRA_BLESSING_KEY) or ():
        if infra_blessing.get_int_custom_property(HAS_MODEL_PROPERTY):
            return Path(path_utils.stamped_model_path(infra_blessing.uri))
    model = artifact_utils.get_single_instance(input_dict[MODEL_KEY])
    return Path(path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model)))


def _data_fingerprint(examples: list[Any]) -> str:
    """ExampleGen's fingerprint; of several artifacts the SHA-256 of all of theirs."""
    prints = sorted(artifact.get_string_custom_property(_FINGERPRINT_PROPERTY) for artifact in examples)
    return prints[0] if len(prints) == 1 else hashlib.sha256("\n".join(prints).encode()).hexdigest()


def _metrics(evaluation: Path, verdict: Blessing) -> dict[str, dict[str, Any]]:
    """Metrics of all rows, and of the slices on which a threshold failed."""
    table = json.loads((evaluation / metrics_table.FILE_NAME).read_text())
    wanted = {metrics_table.OVERALL, *(failure.slice for failure in verdict.failures)}
    return {name: metrics for name, metrics in table.items() if name in wanted}


def _refusal(blessing: Any, verdict: Blessing, infra_blessings: Sequence[Any]) -> str:
    """Why the model is not released, in one line; empty: it is."""
    is_blessed = blessing.get_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY) == constants.BLESSED_VALUE
    if not (is_blessed and verdict.blessed):
        failures = (f"{one.slice}: {one.metric} is {one.value}, {one.bound}" for one in verdict.failures)
        return "not blessed: " + "; ".join(failures)
    for infra_blessing in infra_blessings:
        if infra_blessing.get_int_custom_property(BLESSED_PROPERTY) != 1:
            why = infra_blessing.get_string_custom_property(REASON_PROPERTY)
            return f"smoke check failed: {why or f'see {infra_blessing.uri}'}"
    return ""
