"""The rows of a split, as record batches."""

from __future__ import annotations

import apache_beam as beam
import pyarrow as pa
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.util import examples_utils, tfxio_utils
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact

from schemas.column_files import column_files, read_column_file


class SplitBatches(beam.PTransform):
    """All rows of one split: the start of a Beam pipeline that gives pa.RecordBatch.

        batches = pipeline | "Read[train]" >> SplitBatches(examples, "train", reader="StatisticsGen")

    A column holds a list of int64, float32 or bytes for each row, or null. Without a schema, one that has no value in a
    batch may be of the null type, or not be there.

    Rows come from the column files beside the examples where these are and all that is wanted is columns as they are;
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
        as_they_are = schema is None and record_column is None and not by_pattern
        self._files = column_files(artifact_utils.get_split_uri([examples], split)) if as_they_are else []
        self._source = tfxio_utils.get_split_tfxio(
            [examples], split, [reader], schema=schema, raw_record_column_name=record_column
        )

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """Reads the files.

        Args:
            pipeline: the Beam pipeline, or its beginning.
        """
        if not self._files:
            return pipeline | self._source.BeamSource()
        read = beam.FlatMap(read_column_file).with_input_types(str).with_output_types(pa.RecordBatch)
        return pipeline | beam.Create(self._files) | "ReadColumns" >> read
