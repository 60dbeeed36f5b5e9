"""The rows of a split, as record batches."""

from __future__ import annotations

from functools import partial

import apache_beam as beam
import pyarrow as pa
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.util import examples_utils, tfxio_utils
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact

from components.examples.shard_rows import read_shard
from components.examples.shared_files import shared_files
from schemas.column_files import column_files, shards


class SplitBatches(beam.PTransform):
    """All rows of one split: the start of a Beam pipeline that gives pa.RecordBatch.

        batches = pipeline | "Read[train]" >> SplitBatches(examples, "train", reader="StatisticsGen")

    A column holds a list of int64, float32 or bytes for each row, or null. Without a schema, one that has no value in a
    batch may be of the null type, or not be there.

    Columns come from the column files beside the examples where there are any and no schema says what to make of them;
    otherwise TFX reads and decodes the examples.

    Args:
        examples: an Examples artifact.
        split: one of its splits.
        reader: the component that reads, for TFX's counters.
        schema: gives the columns, their types and their order; without one they are what the examples hold.
        record_column: name of one column more, the serialized examples; default: there is none.
    """

    def __init__(
        self,
        examples: Artifact,
        split: str,
        *,
        reader: str,
        schema: schema_pb2.Schema | None = None,
        record_column: str | None = None,
    ) -> None:
        super().__init__()
        by_pattern = examples.has_custom_property(examples_utils.CUSTOM_SPLIT_PATTERN_PROPERTY_NAME)
        uri = artifact_utils.get_split_uri([examples], split)
        files = column_files(uri) if schema is None and not by_pattern else []
        records = shards(uri) if files else []
        readable = record_column is None or all(shard.endswith(".gz") for shard in records)
        self._shards = dict(zip(files, records, strict=True)) if readable else {}
        self._record_column = record_column
        self._source = tfxio_utils.get_split_tfxio(
            [examples], split, [reader], schema=schema, raw_record_column_name=record_column
        )

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Reads the files.

        Args:
            pipeline: the Beam pipeline, or its beginning.
        """
        if not self._shards:
            return pipeline | self._source.BeamSource()
        read = beam.FlatMap(partial(read_shard, record_column=self._record_column))
        typed = read.with_input_types(str).with_output_types(pa.RecordBatch)
        return pipeline | shared_files(self._shards) | "ReadColumns" >> typed
