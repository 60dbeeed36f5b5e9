"""StatisticsGen's executor: whole batches where that can be done, TFX's elsewhere."""

from __future__ import annotations

import os
from typing import Any

import apache_beam as beam
from absl import logging
from tensorflow_data_validation.statistics.stats_options import StatsOptions
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.components.statistics_gen import executor as tfx_executor
from tfx.components.statistics_gen.stats_artifact_utils import BINARY_PB_BASENAME
from tfx.components.util.examples_utils import CUSTOM_SPLIT_PATTERN_PROPERTY_NAME
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.types import standard_component_specs as keys
from tfx.types.artifact import Artifact
from tfx.utils import io_utils, json_utils

from components.examples.split_batches import SplitBatches
from components.statistics_gen.batches import GenerateStatistics, beyond

_OF_NO_ROW = statistics_pb2.DatasetFeatureStatisticsList(datasets=[statistics_pb2.DatasetFeatureStatistics()])


class Executor(tfx_executor.Executor):
    """Makes the statistics that TFX's executor makes, and leaves to it those that take more than batches."""

    def Do(  # noqa: N802  (TFX's name)
        self, input_dict: dict[str, list[Any]], output_dict: dict[str, list[Any]], exec_properties: dict[str, Any]
    ) -> None:
        """Writes the statistics of each split.

        Args:
            input_dict: `examples`, and `schema` if there is one.
            output_dict: `statistics`: one ExampleStatistics artifact.
            exec_properties: TFX's: `stats_options_json`, `exclude_splits` and others.

        Raises:
            ValueError: they contradict each other.
        """
        examples = artifact_utils.get_single_instance(input_dict[keys.EXAMPLES_KEY])
        options = StatsOptions.from_json(exec_properties.get(keys.STATS_OPTIONS_JSON_KEY) or StatsOptions().to_json())
        excluded = json_utils.loads(exec_properties.get(keys.EXCLUDE_SPLITS_KEY) or "[]") or []
        splits = [split for split in artifact_utils.decode_split_names(examples.split_names) if split not in excluded]
        schemas = input_dict.get(keys.SCHEMA_KEY) or []
        two_schemas = bool(schemas and options.schema)
        if schemas and not two_schemas:
            (file,) = fileio.listdir(schemas[0].uri)
            options.schema = io_utils.SchemaReader().read(os.path.join(schemas[0].uri, file))
        others = {
            keys.SHARDED_STATS_OUTPUT_KEY: exec_properties.get(keys.SHARDED_STATS_OUTPUT_KEY),
            keys.SAMPLE_RATE_BY_SPLIT_KEY: exec_properties.get(keys.SAMPLE_RATE_BY_SPLIT_KEY),
            "splits by pattern": examples.has_custom_property(CUSTOM_SPLIT_PATTERN_PROPERTY_NAME),
            "no split": not splits,
            "exclude_splits that is no list": not isinstance(excluded, list),
            "two schemas": two_schemas,
        }
        reasons = [*beyond(options), *(name for name, there in others.items() if there)]
        if reasons:
            logging.info("TFX's own executor makes these statistics, because of: %s.", ", ".join(reasons))
            super().Do(input_dict, output_dict, exec_properties)
            return

        self._log_startup(input_dict, output_dict, exec_properties)
        statistics = artifact_utils.get_single_instance(output_dict[keys.STATISTICS_KEY])
        _describe(statistics, splits, examples)
        files = {
            split: os.path.join(artifact_utils.get_split_uri([statistics], split), BINARY_PB_BASENAME)
            for split in splits
        }
        with self._make_beam_pipeline() as pipeline:
            for split, file in files.items():
                _ = (
                    pipeline
                    | f"Read[{split}]" >> SplitBatches(examples, split, reader="StatisticsGen")
                    | f"Generate[{split}]" >> GenerateStatistics(options)
                    | f"Write[{split}]" >> beam.Map(_write, file)
                )
        for file in files.values():
            if not fileio.exists(file):
                _write(_OF_NO_ROW, file)


def _describe(statistics: Artifact, splits: list[str], examples: Artifact) -> None:
    """Sets the properties that TFX's executor sets."""
    statistics.split_names = artifact_utils.encode_split_names(splits)
    statistics.span = examples.span
    statistics.set_string_custom_property(tfx_executor.STATS_DASHBOARD_LINK, "")
    statistics.set_json_value_custom_property(
        tfx_executor.SAMPLE_RATE_BY_SPLIT_PROPERTY_NAME, json_utils.dumps(dict.fromkeys(splits, 1.0))
    )


def _write(statistics: statistics_pb2.DatasetFeatureStatisticsList, file: str) -> None:
    io_utils.write_bytes_file(file, statistics.SerializeToString())
