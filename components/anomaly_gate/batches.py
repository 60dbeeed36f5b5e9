"""Columns of a split's examples, read back from the files that ExampleGen wrote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
import tensorflow as tf
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2
from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

from components.example_validator.empty_lists import feature_name

BATCH_ROWS = 10_000

_TYPES = {
    statistics_pb2.FeatureNameStatistics.INT: schema_pb2.INT,
    statistics_pb2.FeatureNameStatistics.FLOAT: schema_pb2.FLOAT,
    statistics_pb2.FeatureNameStatistics.STRING: schema_pb2.BYTES,
    statistics_pb2.FeatureNameStatistics.BYTES: schema_pb2.BYTES,
}


def read_batches(
    folder: str, features: Iterable[str], statistics: statistics_pb2.DatasetFeatureStatistics
) -> Iterator[pa.RecordBatch]:
    """Reads some features of the TFRecords of tf.Example in a folder, in the order of the file names.

    Args:
        folder: the split's folder; gzipped where a file's name ends in .gz.
        features: names of the features wanted; those that the statistics lack are left out.
        statistics: say which type the values really have, whatever the schema says.

    Yields:
        Batches of BATCH_ROWS rows with a large_list column for each feature; a missing value is null or empty.
    """
    actual = {feature_name(feature): feature.type for feature in statistics.features}
    schema = schema_pb2.Schema()
    for name in features:
        if actual.get(name) in _TYPES:
            schema.feature.add(name=name, type=_TYPES[actual[name]])
    decoder = ExamplesToRecordBatchDecoder(schema.SerializeToString())
    for file in sorted(tf.io.gfile.glob(f"{folder.rstrip('/')}/*")):
        records = tf.data.TFRecordDataset(file, compression_type="GZIP" if file.endswith(".gz") else "")
        for serialized in records.batch(BATCH_ROWS).as_numpy_iterator():
            yield decoder.DecodeBatch(serialized.tolist())
