"""Executor of Transform: unpacks artifacts, computes the statistics, writes the graph, and transforms the examples."""

from __future__ import annotations

import os
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
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

from components.transform.analyzer_cache import AnalyzerCache
from components.transform.column_tensors import fits, one_column_each, specs_of
from components.transform.one_pass import BeyondOnePassError, OnePass
from components.transform.shards_job import Shard, write_shards
from components.transform.statistics_job import accumulate, conclude
from components.transform.transform_graph import write_transform_graph
from configs.fingerprint import code_fingerprint
from schemas.artifacts import SPAN_PROPERTY
from schemas.column_files import column_files

_TEMPORARY = ".temp_path"
_NAME = "transformed_examples-{:05d}-of-{:05d}.gz"
_Artifacts = dict[str, list[types.Artifact]]


class Executor(TfxExecutor):
    """Transforms whole batches of columns; what that cannot do, TFX's own executor does, and the log says why."""

    def Do(self, input_dict: _Artifacts, output_dict: _Artifacts, exec_properties: dict[str, Any]) -> None:  # noqa: N802
        """Writes the transform graph and the transformed examples.

        Args:
            input_dict: `examples`, of one span or of several; `schema`; and, where there are any, `analyzer_cache`.
            output_dict: `transform_graph` and, where they are wanted, `transformed_examples` and
                `updated_analyzer_cache`.
            exec_properties: as TFX's Transform makes them.

        Raises:
            SchemaError: the feature table and the data do not fit together.
        """
        # ML Metadata gives spans in the order in which they were ingested, on which the result must not depend.
        examples = sorted(input_dict[keys.EXAMPLES_KEY], key=lambda one: (one.span, one.id))
        input_dict = {**input_dict, keys.EXAMPLES_KEY: examples}
        for cache in output_dict.get(keys.UPDATED_ANALYZER_CACHE_KEY) or ():
            cache.set_int_custom_property(SPAN_PROPERTY, examples[-1].span)
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
        examples = inputs[keys.EXAMPLES_KEY]
        splits = executor_utils.ResolveSplitsConfig(properties.get(keys.SPLITS_CONFIG_KEY), examples)
        schema = _schema(inputs)
        config = adapter_config(schema)
        files = {
            split: [_files(artifact, split) for artifact in examples] for split in {*splits.analyze, *splits.transform}
        }
        if not one_column_each(config):
            raise BeyondOnePassError("the schema has tensors that are made of several columns")
        if not all(fits(file, config) for split in files.values() for some in split for file in some):
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
        datasets = [some for split in splits.analyze for some in files[split]]
        cache = _cache(inputs, outputs, properties, schema)
        known = [cache.get(some) for some in datasets]
        new = [some for some, found in zip(datasets, known, strict=True) if found is None]
        logging.info(
            "Computing %d statistics of %d datasets; those of %d others are in the cache ...",
            len(one_pass.answers), len(new), len(datasets) - len(new),
        )  # fmt: skip
        made = accumulate(one_pass, preprocessing_fn, new, config, folder, self._make_beam_pipeline)
        for some, accumulators in zip(new, made, strict=True):
            cache.put(some, accumulators)
        rest = iter(made)
        values = conclude(one_pass, [next(rest) if found is None else found for found in known])
        graph = write_transform_graph(
            path,
            preprocessing_fn,
            specs,
            schema,
            one_pass.replacements(values, os.path.join(folder, "vocabularies")),
            one_pass.assets,
            folder,
        )
        executor_utils.MatchNumberOfTransformedExamplesArtifacts(inputs, outputs)
        transformed = outputs.get(keys.TRANSFORMED_EXAMPLES_KEY)
        if transformed:
            executor_utils.SetSplitNames(splits.transform, transformed)
            for raw, result in zip(examples, transformed, strict=True):
                result.span = raw.span
            shards = [
                Shard(file, os.path.join(uri, _NAME.format(number, len(some))))
                for split in splits.transform
                for some, uri in zip(files[split], artifact_utils.get_split_uris(transformed, split), strict=True)
                for number, file in enumerate(some)
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
    if properties.get(keys.MODULE_FILE_KEY) or properties.get(keys.MODULE_PATH_KEY):
        return "preprocessing_fn comes from a module's file"
    for artifact in examples:
        if examples_utils.get_payload_format(artifact) != example_gen_pb2.FORMAT_TF_EXAMPLE:
            return "the examples are no tf.Examples"
        if not all(_files(artifact, split) for split in artifact_utils.decode_split_names(artifact.split_names)):
            return "there are no column files beside the examples"
    return ""


def _files(examples: types.Artifact, split: str) -> list[str]:
    return column_files(artifact_utils.get_split_uri([examples], split))


def _cache(
    inputs: _Artifacts, outputs: _Artifacts, properties: dict[str, Any], schema: schema_pb2.Schema
) -> AnalyzerCache:
    read = [artifact.uri for artifact in inputs.get(keys.ANALYZER_CACHE_KEY) or ()]
    updated = outputs.get(keys.UPDATED_ANALYZER_CACHE_KEY)
    if not read and not updated:
        return AnalyzerCache([], None, [])
    function = str(properties.get(keys.PREPROCESSING_FN_KEY))
    identity = [
        function,
        str(properties.get(keys.CUSTOM_CONFIG_KEY)),
        schema.SerializeToString(deterministic=True).hex(),
        code_fingerprint([function.partition(".")[0], "transforms", "schemas", "components.transform"]),
        tft.__version__,
        tf.__version__,
    ]
    return AnalyzerCache(read, artifact_utils.get_single_uri(updated) if updated else None, identity)


def _schema(inputs: _Artifacts) -> schema_pb2.Schema:
    folder = artifact_utils.get_single_uri(inputs[keys.SCHEMA_KEY])
    schema: schema_pb2.Schema = io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(folder))
    return schema


def adapter_config(schema: schema_pb2.Schema) -> TensorAdapterConfig:
    """How TFX makes tensors of the columns that a schema describes."""
    return TFExampleRecord(file_pattern="", telemetry_descriptors=["Transform"], schema=schema).TensorAdapterConfig()
