"""ExampleValidator's executor: TFX's, which also compares with other data, and writes the amended anomalies."""

from __future__ import annotations

import os
from typing import Any

import tensorflow_data_validation as tfdv
from absl import logging
from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2
from tfx.components.example_validator import labels
from tfx.components.example_validator.executor import DEFAULT_FILE_NAME
from tfx.components.example_validator.executor import Executor as TfxExecutor
from tfx.components.statistics_gen.stats_artifact_utils import load_statistics
from tfx.types import artifact_utils, standard_component_specs
from tfx.types.artifact import Artifact
from tfx.utils import writer_utils

from components.example_gen.spans import shown_spans
from components.example_validator.comparators import Comparisons, name_spans, with_comparators
from components.example_validator.empty_lists import amend

PREVIOUS_KEY = "previous_statistics"
"""Input: statistics of the span before."""
SERVING_KEY = "serving_statistics"
"""Input: statistics of rows that predictions were made for."""
COMPARISONS_KEY = "comparisons"
"""Execution property: JSON of the thresholds."""
DATED_KEY = "dated"
"""Execution property: whether spans are days."""

_SPLIT = "Split-"  # TFX's prefix of the folder of a split


class Executor(TfxExecutor):
    """Validates as TFX does, and then once more where a feature has empty lists.

    Drift and skew are measured split by split; serving's rows have one split, with which each is compared.
    """

    _previous: Artifact | None = None
    _serving: Artifact | None = None
    _comparisons = Comparisons()
    _spans = ("", "")

    def Do(  # noqa: N802  (TFX's name)
        self, input_dict: dict[str, list[Any]], output_dict: dict[str, list[Any]], exec_properties: dict[str, Any]
    ) -> Any:
        """As TFX's.

        Args:
            input_dict: `statistics`, `schema`, and, where there are any, `previous_statistics`, `serving_statistics`.
            output_dict: `anomalies`.
            exec_properties: TFX's, and `comparisons` and `dated`.
        """
        (self._previous,) = input_dict.get(PREVIOUS_KEY) or [None]
        (self._serving,) = input_dict.get(SERVING_KEY) or [None]
        if comparisons := exec_properties.get(COMPARISONS_KEY):
            self._comparisons = Comparisons.from_json(comparisons)
        if self._previous is not None:
            (current,) = input_dict[standard_component_specs.STATISTICS_KEY]
            dated = bool(exec_properties.get(DATED_KEY))
            self._spans = (shown_spans([current.span], dated), shown_spans([self._previous.span], dated))
        return super().Do(input_dict, output_dict, exec_properties)

    def _Validate(  # noqa: N802  (TFX's place for extensions)
        self, inputs: dict[str, Any], outputs: dict[str, Any]
    ) -> anomalies_pb2.Anomalies:
        """The anomalies of one split, which are also written."""
        folder = outputs[labels.SCHEMA_DIFF_PATH]
        split = os.path.basename(folder.rstrip("/")).removeprefix(_SPLIT)
        statistics = inputs[standard_component_specs.STATISTICS_KEY]
        schema = with_comparators(inputs[standard_component_specs.SCHEMA_KEY], self._comparisons)
        anomalies = tfdv.validate_statistics(
            statistics=statistics,
            schema=schema,
            previous_statistics=_of_split(self._previous, split),
            serving_statistics=_only(self._serving),
        )
        for measured in anomalies.drift_skew_info:
            for one in (*measured.drift_measurements, *measured.skew_measurements):
                logging.info("%s: %s: %g, at most %g", split, ".".join(measured.path.step), one.value, one.threshold)
        amended = amend(anomalies, statistics, schema)
        name_spans(amended, *self._spans)
        writer_utils.write_anomalies(os.path.join(folder, DEFAULT_FILE_NAME), amended)
        return amended


def _of_split(statistics: Artifact | None, split: str) -> statistics_pb2.DatasetFeatureStatisticsList | None:
    """Statistics of a split, where there are any."""
    if statistics is None or split not in artifact_utils.decode_split_names(statistics.split_names):
        return None
    return load_statistics(statistics, split).proto()


def _only(statistics: Artifact | None) -> statistics_pb2.DatasetFeatureStatisticsList | None:
    if statistics is None:
        return None
    (split,) = artifact_utils.decode_split_names(statistics.split_names)
    return load_statistics(statistics, split).proto()
