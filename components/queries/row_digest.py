"""A digest of rows that does not depend on their order."""

from __future__ import annotations

import hashlib
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.table_columns import as_texts

_BYTES = 16
_NULL = b"-"


class RowDigest:
    """Equal for the same rows in any order, so that a query without ORDER BY is read from the cache as well.

    It is the sum of the rows' own digests (BLAKE2b of 128 bits): a row that is there twice counts twice.
    """

    def __init__(self) -> None:
        self._sum = 0
        self._schema = ""
        self.rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Adds rows; all batches have the same columns."""
        self._schema = str(batch.schema.remove_metadata())
        self.rows += batch.num_rows
        values = [_measured(_as_bytes(column)) for column in batch.columns]
        joined = pc.binary_join_element_wise(
            *values, pa.scalar(b"", pa.binary()), null_handling="replace", null_replacement=_NULL
        )
        blake2b, from_bytes = hashlib.blake2b, int.from_bytes
        self._sum += sum(from_bytes(blake2b(row, digest_size=_BYTES).digest(), "big") for row in joined.to_pylist())

    def hexdigest(self) -> str:
        """32 digits."""
        text = f"{self._schema}\n{self.rows}\n{self._sum % (1 << 8 * _BYTES):x}"
        return hashlib.blake2b(text.encode(), digest_size=_BYTES).hexdigest()


def _measured(texts: Any) -> Any:
    """Each text with its length before it, so that no other row reads the same."""
    lengths = pc.binary_length(texts).cast(pa.string()).cast(pa.binary())
    return pc.binary_join_element_wise(lengths, texts, pa.scalar(b":", pa.binary()))


def _as_bytes(column: Any) -> Any:
    if pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type):
        return column.cast(pa.binary())
    return as_texts(column).cast(pa.binary())
