"""The Beam job that transforms examples, a shard to a shard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam
from tensorflow_transform import impl_helper
from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder
from tfx_bsl.tfxio.tensor_adapter import TensorAdapterConfig

from components.example_gen.tfrecord import ShardWriter
from components.examples.shared_files import shared_files
from components.transform.column_tensors import ColumnTensors
from components.transform.transform_graph import TransformGraph
from schemas.column_files import ColumnFileWriter


@dataclass(frozen=True)
class Shard:
    """One element of the job.

    Args:
        columns: column file of the raw examples.
        destination: TFRecord file of the transformed ones, whose column file comes beside it.
    """

    columns: str
    destination: str


def write_shards(
    shards: Sequence[Shard],
    graph: TransformGraph,
    config: TensorAdapterConfig,
    make_pipeline: Callable[[], beam.Pipeline],
) -> None:
    """Writes every shard's rows, transformed, in their order.

    Args:
        shards: what to read and to write.
        graph: the transform graph.
        config: how columns become tensors.
        make_pipeline: gives the Beam pipeline of the engine.
    """
    with make_pipeline() as pipeline:
        _ = (
            pipeline
            | "Shards" >> shared_files({shard.columns: shard for shard in shards})
            | "Transform" >> beam.ParDo(_Write(graph, ColumnTensors(config, graph.columns)))
        )


class _Write(beam.DoFn):
    def __init__(self, graph: TransformGraph, tensors: ColumnTensors) -> None:
        self._graph = graph
        self._tensors = tensors

    def setup(self) -> None:
        schema = self._graph.schema
        self._converter = impl_helper.make_tensor_to_arrow_converter(schema)
        self._encoder = RecordBatchToExamplesEncoder(schema)

    def process(self, shard: Shard) -> Iterator[str]:
        with ColumnFileWriter(shard.destination) as columns, ShardWriter(shard.destination) as records:
            for tensors in self._tensors.read(shard.columns):
                batch = self._converter.convert(self._graph(tensors))
                columns.write(batch)
                records.write(self._encoder.encode(batch))
        yield shard.destination
