"""SmokeCheck's executor: unpacks artifacts, calls `smoke_check`, and writes the blessing that Pusher looks for."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import tensorflow as tf
from absl import logging
from tfx.components.evaluator import constants
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import artifact_utils
from tfx.utils import path_utils

from components.examples.gzip_records import gzip_records
from components.served_model.saved_model import saved_model, signatures
from components.served_model.signatures import Outputs
from components.smoke_check.check import smoke_check
from components.smoke_check.linked_copy import linked_copy
from components.smoke_check.own_answers import own_answers
from components.smoke_check.question import Question, questions
from components.smoke_check.report import FILE_NAME, Report
from components.smoke_check.warmup_file import write_warmup
from configs.smoke_check import SmokeCheck
from schemas.artifacts import BLESSED_PROPERTY, HAS_MODEL_PROPERTY, REASON_PROPERTY
from schemas.column_files import shards
from schemas.errors import EvaluationError

MODEL_KEY = "model"
EXAMPLES_KEY = "examples"
MODEL_BLESSING_KEY = "model_blessing"
BLESSING_KEY = "blessing"
SETTINGS_KEY = "smoke_check"
SPLIT_KEY = "split"
COLUMNS_KEY = "columns"
MODEL_NAME_KEY = "model_name"
REFUSALS_KEY = "refusals"
"""Of the driver, for the cache key."""

# As TFX's InfraValidator has them.
_BLESSED_FILE, _NOT_BLESSED_FILE = "INFRA_BLESSED", "INFRA_NOT_BLESSED"
_LOG_FILE = "server.log"
_VERSION = "1"


class Executor(BaseExecutor):
    """Checks the model if the Evaluator has blessed it."""

    def Do(  # noqa: N802
        self, input_dict: dict[str, list[Any]], output_dict: dict[str, list[Any]], exec_properties: dict[str, Any]
    ) -> None:
        """Writes the InfraBlessing artifact.

        Raises:
            EvaluationError: the split has no rows, or the model has nothing that answers for them.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        blessing = artifact_utils.get_single_instance(output_dict[BLESSING_KEY])
        if not all(map(_is_blessed, input_dict.get(MODEL_BLESSING_KEY) or ())):
            _settle(blessing, blessed=False)
            return
        model = artifact_utils.get_single_instance(input_dict[MODEL_KEY])
        settings = SmokeCheck.model_validate_json(exec_properties[SETTINGS_KEY])
        split = exec_properties[SPLIT_KEY]
        name = exec_properties[MODEL_NAME_KEY]
        examples = list(islice(_records(input_dict[EXAMPLES_KEY], split), settings.examples))
        if not examples:
            raise EvaluationError(
                "There is no row to ask the model for.",
                where=f"split {split}",
                received="0 rows",
                fix="Give more data, or give that split more hash buckets in data.splits.",
            )
        asked, skipped = questions(
            signatures(model, MODEL_KEY, caller="the smoke check"),
            examples,
            json.loads(exec_properties[COLUMNS_KEY]),
            settings.signatures,
        )
        trained = Path(saved_model(model))
        own, silent = own_answers(trained, asked, named=bool(settings.signatures))
        report = _checked(trained, Path(blessing.uri), name, own, len(examples), settings)
        report = report.model_copy(update={"split": split, "skipped": (*skipped, *silent)})
        report.save(Path(blessing.uri) / FILE_NAME)
        logging.info("Smoke check: %s", report)
        _settle(blessing, blessed=report.passed)
        blessing.set_int_custom_property(HAS_MODEL_PROPERTY, int(report.passed and report.warmup_requests > 0))
        if not report.passed:
            why = "; ".join((*report.faults, f"report: {Path(blessing.uri) / FILE_NAME}"))
            blessing.set_string_custom_property(REASON_PROPERTY, why)


def _checked(
    trained: Path, folder: Path, name: str, own: list[tuple[Question, Outputs]], rows: int, settings: SmokeCheck
) -> Report:
    """The report on a model; where it passed, the model with warm-up requests is in the folder, as TFX has it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".serving-", dir=folder) as temporary:
        version = Path(temporary) / "model" / _VERSION
        linked_copy(trained, version)
        alone = (question.row(place) for question, _ in own for place in range(min(settings.warmup, rows)))
        written = write_warmup(version, name, alone)
        served = version.parent
        if settings.command is not None:
            # Who knows what that does with its files: these here are the Trainer's, too, and what is released.
            served = Path(shutil.copytree(served, Path(temporary) / "copy"))
        report = smoke_check(served, name, own, rows, settings, folder / _LOG_FILE)
        if report.passed and written:
            version.rename(path_utils.stamped_model_path(str(folder)))
    return report.model_copy(update={"warmup_requests": written if report.passed else 0})


def _is_blessed(artifact: Any) -> bool:
    found: int = artifact.get_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY)
    return found == constants.BLESSED_VALUE


def _settle(artifact: Any, *, blessed: bool) -> None:
    folder = Path(artifact.uri)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / (_BLESSED_FILE if blessed else _NOT_BLESSED_FILE)).touch()
    artifact.set_int_custom_property(BLESSED_PROPERTY, int(blessed))


def _records(examples: list[Any], split: str) -> Iterator[bytes]:
    """The serialized examples of a split, in their order."""
    for artifact in examples:
        for shard in shards(artifact_utils.get_split_uri([artifact], split)):
            yield from gzip_records(shard) if shard.endswith(".gz") else tf.compat.v1.io.tf_record_iterator(shard)
