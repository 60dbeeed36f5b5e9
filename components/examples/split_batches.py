"""The rows of a split, as record batches."""

from __future__ import annotations

from collections.abc import Sequence

import apache_beam as beam
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.util import tfxio_utils
from tfx.types.artifact import Artifact


class SplitBatches(beam.PTransform):
    """All rows of one split: the start of a Beam pipeline that gives pa.RecordBatch.

        batches = pipeline | "Read[train]" >> SplitBatches(examples, "train", reader="StatisticsGen")

    A column is a list of int64, float32 or bytes for each row, or null; one that no row of a batch has a value for has no
    type, or is not there.

    Args:
        examples: Examples artifacts that have the split.
        split: its name.
        reader: the component that reads, for TFX's counters.
        schema: gives the columns, their types and their order; without one they are what the examples hold.
        record_column: name of one column more, the serialized examples; None: there is none.
    """

    def __init__(
        self,
        examples: Sequence[Artifact],
        split: str,
        *,
        reader: str,
        schema: schema_pb2.Schema | None = None,
        record_column: str | None = None,
    ) -> None:
        super().__init__()
        self._source = tfxio_utils.get_split_tfxio(
            list(examples), split, [reader], schema=schema, raw_record_column_name=record_column
        )

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Reads the files.

        Args:
            pipeline: the Beam pipeline, or its beginning.
        """
        return pipeline | self._source.BeamSource()
