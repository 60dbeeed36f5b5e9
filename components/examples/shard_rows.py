"""The rows of one shard of examples, from its column file."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
import pyarrow as pa

from components.examples.gzip_records import gzip_records
from schemas.column_files import column_file, read_column_file
from schemas.errors import DataError


def read_shard(shard: str, *, record_column: str | None = None) -> Iterator[pa.RecordBatch]:
    """The rows of a shard, in batches as they were written: some MiB each.

    Args:
        shard: path of the TFRecords, beside which there is a column file.
        record_column: name of one column more, the serialized examples; default: there is none.

    Raises:
        DataError: the two files do not hold the same rows.
    """
    batches = read_column_file(column_file(shard))
    if record_column is None:
        yield from batches
        return
    records = gzip_records(shard)
    for batch in batches:
        examples = pa.array(islice(records, batch.num_rows), pa.large_binary())
        if len(examples) != batch.num_rows:
            raise _other_rows(shard, "fewer")
        column = pa.LargeListArray.from_arrays(pa.array(np.arange(batch.num_rows + 1)), examples)
        names = [*batch.schema.names, record_column]
        yield pa.RecordBatch.from_arrays([*batch.columns, column], names=names)
    if next(records, None) is not None:
        raise _other_rows(shard, "more")


def _other_rows(shard: str, more_or_fewer: str) -> DataError:
    return DataError(
        "The examples are not the rows of the column file beside them.",
        where=shard,
        received=f"{more_or_fewer} examples than rows in {column_file(shard)}",
        fix="One of the two was changed: run ExampleGen again.",
    )
