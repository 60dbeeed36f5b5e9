"""The Parquet files that the rows of a query become."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa

from components.queries.row_digest import RowDigest

_FILE_BYTES = 128 << 20


class ResultFiles:
    """Writes batches of rows, each a row group, into files of a size that the fingerprint hashes whole.

    Args:
        folder: an empty folder.

    Attributes:
        digest: of the rows so far.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: Any = None
        self._paths: list[str] = []
        self.digest = RowDigest()

    def write(self, batch: pa.RecordBatch) -> None:
        """Appends rows; all batches have the same columns."""
        from pyarrow import parquet  # slow to import, and most data are files

        if self._writer is None:
            self._paths.append(str(self._folder / f"rows-{len(self._paths):05d}.parquet"))
            self._writer = parquet.ParquetWriter(self._paths[-1], batch.schema)
        self._writer.write_table(pa.Table.from_batches([batch]))
        self.digest.add(batch)
        if os.path.getsize(self._paths[-1]) > _FILE_BYTES:
            self._close()

    @property
    def files(self) -> tuple[str, ...]:
        """Their paths, in the order of the rows."""
        return tuple(self._paths)

    def __enter__(self) -> ResultFiles:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close()

    def _close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
