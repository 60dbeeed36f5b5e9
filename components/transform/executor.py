"""Executor of Transform: unpacks artifacts, computes the statistics, writes the graph, and transforms the examples."""

from __future__ import annotations

import os
from typing import Any

import tensorflow as tf
from absl import logging
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import types
from tfx.components.transform import executor_utils, labels
from tfx.components.transform.executor import Executor as TfxExecutor
from tfx.components.util import examples_utils
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils
from tfx.types import standard_component_specs as keys
from tfx.utils import io_utils
from tfx_bsl.tfxio.tensor_adapter import TensorAdapterConfig
from tfx_bsl.tfxio.tf_example_record import TFExampleRecord

from components.transform.column_tensors import fits, one_column_each, specs_of
from components.transform.one_pass import BeyondOnePassError, OnePass
from components.transform.shards_job import Shard, write_shards
from components.transform.statistics_job import compute_statistics
from components.transform.transform_graph import write_transform_graph
from schemas.column_files import column_files

_TEMPORARY = ".temp_path"
_NAME = "transformed_examples-{:05d}-of-{:05d}.gz"
_Artifacts = dict[str, list[types.Artifact]]


class Executor(TfxExecutor):
    """Transforms whole batches of columns; what that cannot do, TFX's own executor does, and the log says why."""

    def Do(self, input_dict: _Artifacts, output_dict: _Artifacts, exec_properties: dict[str, Any]) -> None:  # noqa: N802
        """Writes the transform graph and the transformed examples.

        Args:
            input_dict: `examples` and `schema`.
            output_dict: `transform_graph` and, where they are wanted, `transformed_examples`.
            exec_properties: as TFX's Transform makes them.

        Raises:
            SchemaError: the feature table and the data do not fit together.
        """
        reason = _beyond(input_dict, output_dict, exec_properties)
        if not reason:
            try:
                self._transform(input_dict, output_dict, exec_properties)
                return
            except BeyondOnePassError as error:
                reason = str(error)
        logging.info("TFX's own executor transforms: %s.", reason)
        super().Do(input_dict, output_dict, exec_properties)

    def _transform(self, inputs: _Artifacts, outputs: _Artifacts, properties: dict[str, Any]) -> None:
        splits = executor_utils.ResolveSplitsConfig(properties.get(keys.SPLITS_CONFIG_KEY), inputs[keys.EXAMPLES_KEY])
        schema = _schema(inputs)
        config = adapter_config(schema)
        files = {split: _files(inputs, split) for split in {*splits.analyze, *splits.transform}}
        if not one_column_each(config):
            raise BeyondOnePassError("the schema has tensors that are made of several columns")
        if not all(fits(file, config) for split in files.values() for file in split):
            raise BeyondOnePassError("a column's type is not that of the schema")
        preprocessing_fn = self._GetPreprocessingFn(
            {
                labels.PREPROCESSING_FN: properties.get(keys.PREPROCESSING_FN_KEY),
                labels.CUSTOM_CONFIG: properties.get(keys.CUSTOM_CONFIG_KEY),
            },
            {},
        )
        path = artifact_utils.get_single_uri(outputs[keys.TRANSFORM_GRAPH_KEY])
        folder = os.path.join(path, _TEMPORARY)
        specs = specs_of(config)

        one_pass = OnePass(preprocessing_fn, specs, folder)
        analyzed = [file for split in splits.analyze for file in files[split]]
        logging.info("Computing %d statistics of %d column files ...", len(one_pass.answers), len(analyzed))
        values = compute_statistics(one_pass, preprocessing_fn, analyzed, config, folder, self._make_beam_pipeline)
        graph = write_transform_graph(
            path,
            preprocessing_fn,
            specs,
            schema,
            one_pass.replacements(values, os.path.join(folder, "vocabularies")),
            one_pass.assets,
            folder,
        )
        transformed = outputs.get(keys.TRANSFORMED_EXAMPLES_KEY)
        if transformed:
            executor_utils.SetSplitNames(splits.transform, transformed)
            shards = [
                Shard(file, os.path.join(artifact_utils.get_split_uri(transformed, split), _NAME.format(number, count)))
                for split in splits.transform
                for count in [len(files[split])]
                for number, file in enumerate(files[split])
            ]
            write_shards(shards, graph, config, self._make_beam_pipeline)
        io_utils.delete_dir(folder)


def _beyond(inputs: _Artifacts, outputs: _Artifacts, properties: dict[str, Any]) -> str:
    """What is asked for that only TFX's executor does; empty: nothing."""
    examples = inputs[keys.EXAMPLES_KEY]
    if not properties.get(keys.DISABLE_STATISTICS_KEY):
        return "statistics before and after it are wanted"
    if properties.get(keys.FORCE_TF_COMPAT_V1_KEY) or not tf.executing_eagerly():
        return "it is to run as TensorFlow 1 did"
    if inputs.get(keys.ANALYZER_CACHE_KEY) or outputs.get(keys.UPDATED_ANALYZER_CACHE_KEY):
        return "an analyzer cache is wanted"
    if properties.get(keys.MODULE_FILE_KEY) or properties.get(keys.MODULE_PATH_KEY):
        return "preprocessing_fn comes from a module's file"
    if len(examples) != 1 or examples_utils.get_payload_format(examples[0]) != example_gen_pb2.FORMAT_TF_EXAMPLE:
        return "the examples are several artifacts, or no tf.Examples"
    splits = artifact_utils.decode_split_names(examples[0].split_names)
    if not all(_files(inputs, split) for split in splits):
        return "there are no column files beside the examples"
    return ""


def _files(inputs: _Artifacts, split: str) -> list[str]:
    return column_files(artifact_utils.get_split_uri(inputs[keys.EXAMPLES_KEY], split))


def _schema(inputs: _Artifacts) -> schema_pb2.Schema:
    folder = artifact_utils.get_single_uri(inputs[keys.SCHEMA_KEY])
    schema: schema_pb2.Schema = io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(folder))
    return schema


def adapter_config(schema: schema_pb2.Schema) -> TensorAdapterConfig:
    """How TFX makes tensors of the columns that a schema describes."""
    return TFExampleRecord(file_pattern="", telemetry_descriptors=["Transform"], schema=schema).TensorAdapterConfig()
