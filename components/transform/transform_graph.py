"""The transform graph: a preprocessing_fn whose statistics are known, as TFT saves it."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_transform import analyzer_nodes, graph_context, graph_tools, impl_helper, schema_inference, tf2_utils
from tensorflow_transform.saved import saved_transform_io_v2
from tensorflow_transform.tf_metadata import metadata_io
from tensorflow_transform.tf_metadata.dataset_metadata import DatasetMetadata

from components.transform.one_pass import Preprocessing


class TransformGraph:
    """A saved graph that can be called; in a process that it is sent to, the first call loads it.

    Args:
        path: folder of the transform graph.
        columns: inputs that the outputs depend on.
        function: the graph, in the process that made it.
    """

    def __init__(self, path: str, columns: Collection[str], function: Any = None) -> None:
        self.columns = columns
        self._path = path
        self._function = function

    def __call__(self, tensors: Mapping[str, Any]) -> dict[str, Any]:
        """Transforms one batch."""
        if self._function is None:
            saved = os.path.join(self._path, tft.TFTransformOutput.TRANSFORM_FN_DIR)
            self._function = saved_transform_io_v2.SavedModelLoader(saved).apply_transform_model
        outputs: dict[str, Any] = self._function(dict(tensors))
        return outputs

    @property
    def schema(self) -> schema_pb2.Schema:
        """Of what comes out."""
        return tft.TFTransformOutput(self._path).transformed_metadata.schema

    def __reduce__(self) -> tuple[Any, ...]:
        return TransformGraph, (self._path, self.columns)


def write_transform_graph(
    path: str,
    preprocessing_fn: Preprocessing,
    specs: Mapping[str, tf.TypeSpec],
    raw_schema: schema_pb2.Schema,
    replacements: Mapping[str, tf.Tensor],
    assets: Mapping[str, str],
    folder: str,
) -> TransformGraph:
    """Writes what TFX's Transform writes to its artifact: the graph and the schemas before and after it.

    Args:
        path: folder of the artifact.
        preprocessing_fn: as TFT takes it.
        specs: types of its inputs.
        raw_schema: of the data.
        replacements: the values of all statistics, as `OnePass.replacements` gives them.
        assets: file of each named asset.
        folder: for temporary files.
    """
    saved = os.path.join(path, tft.TFTransformOutput.TRANSFORM_FN_DIR)
    context = _context(folder, replacements)
    function = impl_helper.get_traced_transform_fn(preprocessing_fn, specs, context)
    concrete = saved_transform_io_v2.write_v2_saved_model(context.module_to_export, function, "transform_fn", saved)
    left = concrete.graph.get_collection(analyzer_nodes.TENSOR_REPLACEMENTS)
    if left:
        raise RuntimeError(f"preprocessing_fn asks for other statistics when it is traced again: {left[0].tensor.name}")
    inputs = tf2_utils.get_structured_inputs_from_func_graph(concrete.graph)
    described = schema_inference.get_traced_metadata_fn(
        preprocessing_fn, inputs, _context(folder, replacements), evaluate_schema_overrides=True
    )
    schema = schema_inference.infer_feature_schema_v2(
        concrete.structured_outputs, described, evaluate_schema_overrides=True
    )
    transformed = os.path.join(path, tft.TFTransformOutput.TRANSFORMED_METADATA_DIR)
    for metadata, place in (
        (DatasetMetadata(schema), transformed),
        (DatasetMetadata(raw_schema), os.path.join(path, tft.TFTransformOutput.RAW_METADATA_DIR)),
    ):
        metadata_io.write_metadata(metadata, place)
    if assets:
        with tf.io.gfile.GFile(os.path.join(transformed, tft.TFTransformOutput.ASSET_MAP), "w") as file:
            file.write(json.dumps(dict(assets)))
    columns = graph_tools.get_dependent_inputs(concrete.graph, inputs, concrete.structured_outputs)
    # Pruned, as it was saved.
    return TransformGraph(path, frozenset(columns), context.module_to_export.transform_fn)


def _context(folder: str, replacements: Mapping[str, tf.Tensor]) -> graph_context.TFGraphContext:
    return graph_context.TFGraphContext(
        module_to_export=tf.Module(), temp_dir=folder, evaluated_replacements=dict(replacements)
    )
