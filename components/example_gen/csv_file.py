"""A CSV file as a stream of bytes: plain or gzip, told apart by its first bytes; what is not CSV is refused."""

from __future__ import annotations

import contextlib
import gzip
import zlib
from typing import BinaryIO, cast

from schemas.errors import DataError

GZIP_MAGIC = b"\x1f\x8b"
BOM = b"\xef\xbb\xbf"

_FOREIGN = (
    (b"PK\x03\x04", "a zip archive (an .xlsx workbook is one)", "Unpack it, or save the sheet as CSV (UTF-8)."),
    (b"\xd0\xcf\x11\xe0", "an old Office document (such as .xls)", "Save the sheet as CSV (UTF-8)."),
    (b"PAR1", "a Parquet file", "Write it as CSV: pandas.read_parquet(...).to_csv(..., index=False)."),
    (b"ARROW1", "an Arrow file", "Write it as CSV: pandas.read_feather(...).to_csv(..., index=False)."),
    (b"ORC", "an ORC file", "Write it as CSV."),
    (b"Obj\x01", "an Avro file", "Write it as CSV."),
    (b"BZh", "a bzip2 archive", "Unpack it with bunzip2, or compress it with gzip."),
    (b"\x28\xb5\x2f\xfd", "a zstandard archive", "Unpack it with unzstd, or compress it with gzip."),
    (b"\xfd7zXZ\x00", "an xz archive", "Unpack it with unxz, or compress it with gzip."),
    (GZIP_MAGIC, "a gzip file inside of a gzip file", "Unpack it once: gunzip < FILE > NEW."),
    (b"7z\xbc\xaf\x27\x1c", "a 7-zip archive", "Unpack it, or compress it with gzip."),
    (b"%PDF", "a PDF document", "Export the table as CSV (UTF-8)."),
    (b"SQLite format 3\x00", "a SQLite database", "Export the table as CSV (UTF-8)."),
    (b"\xff\xfe", "UTF-16 text", "Convert it: iconv -f UTF-16 -t UTF-8 FILE > NEW."),
    (b"\xfe\xff", "UTF-16 text", "Convert it: iconv -f UTF-16 -t UTF-8 FILE > NEW."),
)


class CsvFile:
    """A CSV file, open for reading.

    Args:
        path: the file; gzip when it starts as gzip does, whatever its name.

    Raises:
        DataError: it is empty, it is something else than CSV, or it cannot be opened.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self._raw: BinaryIO = open(path, "rb")  # noqa: SIM115  (closed by __exit__)
            start = self._raw.read(32)
            self._raw.seek(0)
        except OSError as error:
            raise DataError(
                f"The data cannot be read: {error.strerror or error}.",
                where=path,
                fix="Check that the file is still there and its permissions.",
            ) from error
        self.compressed = start.startswith(GZIP_MAGIC)
        self._stream = cast(BinaryIO, gzip.GzipFile(fileobj=self._raw)) if self.compressed else self._raw
        self._position = 0
        try:
            if self.compressed:
                start = self.read(32)
                self.seek(0)
            if not start:
                raise DataError(
                    "The data file is empty.", where=path, received="0 bytes", fix="Give a CSV file with a header line."
                )
            for magic, kind, fix in _FOREIGN:
                if start.startswith(magic):
                    raise DataError("The data file is not CSV.", where=path, received=kind, fix=fix)
        except DataError:
            self._raw.close()
            raise

    def __enter__(self) -> CsvFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()

    def seek(self, position: int) -> None:
        """Goes to an offset of the (unpacked) bytes."""
        if self.compressed and position > self._position:
            while self._position < position and self.read(min(1 << 20, position - self._position)):
                pass
            return
        self._stream.seek(position)
        self._position = position

    def read(self, size: int) -> bytes:
        """The next bytes; fewer than `size` only at the end.

        Raises:
            DataError: the file is damaged.
        """
        try:
            data = self._stream.read(size)
        except (EOFError, zlib.error, OSError) as error:
            raise self._damaged(error) from error
        self._position += len(data)
        return data

    def _damaged(self, error: Exception) -> DataError:
        if not self.compressed:
            return DataError(f"The data cannot be read: {error}.", where=self.path, fix="Check the disk or the mount.")
        what = "The gzip file is cut off." if isinstance(error, EOFError) else "The gzip file is damaged."
        if "Not a gzipped file" in str(error):
            what = "Behind its gzip data the file holds something else."
        return DataError(
            what,
            where=f"{self.path}, after line {self._sound_lines()}",
            received=str(error),
            fix="Fetch or make the file anew; gzip -t FILE checks it.",
        )

    def _sound_lines(self) -> int:
        """Lines that can be unpacked."""
        self._raw.seek(0)
        lines = 0
        with contextlib.suppress(EOFError, zlib.error, OSError):
            stream = gzip.GzipFile(fileobj=self._raw)
            while piece := stream.read1(1 << 13):
                lines += piece.count(b"\n")
        return lines
