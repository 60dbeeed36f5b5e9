"""Unpacks the artifacts, asks for the verdict, and either writes the report or stops the run."""

from __future__ import annotations

import json
import os
from typing import Any

import tensorflow as tf
from absl import logging
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2
from tfx.components.example_validator.executor import DEFAULT_FILE_NAME as ANOMALIES_FILE
from tfx.components.statistics_gen.stats_artifact_utils import load_statistics
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact
from tfx.utils import io_utils

from components.anomaly_gate.batches import read_batches
from components.anomaly_gate.evidence import Evidence, find_evidence
from components.anomaly_gate.judge import Verdict, judge
from components.anomaly_gate.message import anomaly_error
from components.anomaly_gate.row_count import Statistics, check_rows, default_dataset
from configs.settings import Validation
from schemas.artifacts import ROWS_PROPERTY

EXAMPLES_KEY = "examples"
STATISTICS_KEY = "statistics"
SCHEMA_KEY = "schema"
ANOMALIES_KEY = "anomalies"
VALIDATION_KEY = "validation"
GATE_KEY = "gate"

REPORT_FILE = "report.json"


class Executor(BaseExecutor):
    """Executor of AnomalyGate."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the report.

        Raises:
            DataError: rows were lost.
            AnomalyError: there are anomalies that stop the run.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        validation = Validation.model_validate_json(exec_properties[VALIDATION_KEY])
        examples = artifact_utils.get_single_instance(input_dict[EXAMPLES_KEY])
        statistics_artifact = artifact_utils.get_single_instance(input_dict[STATISTICS_KEY])
        statistics = {
            split: load_statistics(statistics_artifact, split).proto()
            for split in artifact_utils.decode_split_names(statistics_artifact.split_names)
        }
        # Examples of another generator than ours do not say how many rows they have.
        if examples.has_custom_property(ROWS_PROPERTY):
            check_rows(json.loads(examples.get_string_custom_property(ROWS_PROPERTY)), statistics)

        schema_uri = artifact_utils.get_single_uri(input_dict[SCHEMA_KEY])
        schema = io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(schema_uri))
        anomalies = _read_anomalies(artifact_utils.get_single_instance(input_dict[ANOMALIES_KEY]))
        verdict = judge(anomalies, statistics, validation)
        for allowed in verdict.unused:
            logging.info("validation.allow met no anomaly: %s", allowed)
        if not verdict.passed:
            evidence = _collect(verdict, examples, statistics, schema, validation.samples)
            logging.error("%s", anomaly_error(verdict, evidence, listed=len(verdict.refused)))
            raise anomaly_error(verdict, evidence)
        path = os.path.join(artifact_utils.get_single_uri(output_dict[GATE_KEY]), REPORT_FILE)
        io_utils.write_string_file(path, json.dumps(verdict.report(), indent=2) + "\n")


def _read_anomalies(artifact: Artifact) -> dict[str, anomalies_pb2.Anomalies]:
    found = {}
    for split in artifact_utils.decode_split_names(artifact.split_names):
        path = os.path.join(artifact_utils.get_split_uri([artifact], split), ANOMALIES_FILE)
        found[split] = anomalies_pb2.Anomalies.FromString(io_utils.read_bytes_file(path))
    return found


def _collect(
    verdict: Verdict, examples: Artifact, statistics: Statistics, schema: schema_pb2.Schema, limit: int
) -> dict[tuple[str, str, str], Evidence]:
    collected: dict[tuple[str, str, str], Evidence] = {}
    for split in dict.fromkeys(finding.split for finding in verdict.refused):
        wanted = [(finding.feature, finding.kind) for finding in verdict.refused if finding.split == split]
        folder = artifact_utils.get_split_uri([examples], split)
        batches = read_batches(folder, {feature for feature, _ in wanted}, default_dataset(statistics[split]))
        try:
            found = find_evidence(batches, wanted, schema, limit)
        except (RuntimeError, ValueError, tf.errors.OpError) as error:
            # The anomalies are what the user must hear of; examples that cannot be read back only cost the samples.
            logging.warning("No offending values for split %s: %s", split, error)
            continue
        collected.update({(split, *pair): evidence for pair, evidence in found.items()})
    return collected
