"""Batches of a column file as the tensors that a preprocessing_fn takes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import pyarrow as pa
import tensorflow as tf
from tfx_bsl.tfxio import tensor_representation_util
from tfx_bsl.tfxio.tensor_adapter import TensorAdapter, TensorAdapterConfig

from schemas.column_files import column_schema, read_column_file


class ColumnTensors:
    """Reads some columns of column files; of the others, which nobody computes with, every value is missing.

    Args:
        config: how TFX makes tensors of columns, from the schema of the data.
        columns: names of the tensors that are wanted.
    """

    def __init__(self, config: TensorAdapterConfig, columns: Collection[str]) -> None:
        # A dense tensor cannot be missing.
        dense = {name for name, spec in specs_of(config).items() if isinstance(spec, tf.TensorSpec)}
        self._config = config
        self._wanted = {*columns, *dense}
        self._adapter = TensorAdapter(config)

    def read(self, path: str) -> Iterator[dict[str, Any]]:
        """The tensors of each batch of a file."""
        for batch in read_column_file(path, self._wanted):
            yield self._adapter.ToBatchTensors(self._conformed(batch), produce_eager_tensors=True)

    def __reduce__(self) -> tuple[Any, ...]:
        return ColumnTensors, (self._config, self._wanted)

    def _conformed(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        schema = self._config.arrow_schema
        there = dict(zip(batch.schema.names, batch.columns, strict=True))
        nothing = pa.nulls(batch.num_rows)
        columns = [there.get(field.name, nothing) for field in schema]
        arrays = [
            pa.nulls(len(column), field.type) if pa.types.is_null(column.type) else column
            for field, column in zip(schema, columns, strict=True)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)


def specs_of(config: TensorAdapterConfig) -> dict[str, tf.TypeSpec]:
    """Types of the tensors."""
    specs: dict[str, tf.TypeSpec] = TensorAdapter(config).OriginalTypeSpecs()
    return specs


def one_column_each(config: TensorAdapterConfig) -> bool:
    """Whether each tensor is made of the column of its name, and not of several, as sparse features of a schema are."""
    of = tensor_representation_util.GetSourceColumnsFromTensorRepresentation
    representations = config.tensor_representations.items()
    return all([path.steps() for path in of(representation)] == [(name,)] for name, representation in representations)


def fits(path: str, config: TensorAdapterConfig) -> bool:
    """Whether the columns of a file are of the types that the schema of the data gives them."""
    types = {field.name: field.type for field in column_schema(path)}
    return all(types.get(field.name, pa.null()) in (pa.null(), field.type) for field in config.arrow_schema)
