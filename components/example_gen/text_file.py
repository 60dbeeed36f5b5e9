"""A file of lines, of CSV or JSON, as a stream of bytes, plain or packed, told apart by its first bytes."""

from __future__ import annotations

import contextlib
from typing import BinaryIO, Literal

from components.example_gen.data_files import open_data
from components.example_gen.formats import FORMATS
from components.example_gen.packing import DAMAGES, Packing, packing_of
from schemas.errors import DataError

TextSource = Literal["csv", "jsonl"]
BOM = b"\xef\xbb\xbf"

_FOREIGN = (
    (b"PK\x03\x04", "a zip archive (an .xlsx workbook is one)", "Unpack it, or save the sheet as CSV (UTF-8)."),
    (b"\xd0\xcf\x11\xe0", "an old Office document (such as .xls)", "Save the sheet as CSV (UTF-8)."),
    (b"PAR1", "a Parquet file", "Set data.source: parquet."),
    (b"ARROW1", "an Arrow file", "Set data.source: arrow."),
    (b"ORC", "an ORC file", "Set data.source: orc."),
    (b"Obj\x01", "an Avro file", "Set data.source: avro."),
    (b"\xfd7zXZ\x00", "an xz archive", "Unpack it with unxz, or compress it with gzip."),
    (b"7z\xbc\xaf\x27\x1c", "a 7-zip archive", "Unpack it, or compress it with gzip."),
    (b"%PDF", "a PDF document", "Export the table as CSV (UTF-8)."),
    (b"SQLite format 3\x00", "a SQLite database", "Export the table as CSV (UTF-8)."),
    (b"\xff\xfe", "UTF-16 text", "Convert it: iconv -f UTF-16 -t UTF-8 FILE > NEW."),
    (b"\xfe\xff", "UTF-16 text", "Convert it: iconv -f UTF-16 -t UTF-8 FILE > NEW."),
)


class TextFile:
    """A file of lines, open for reading.

    Args:
        path: the file; packed when it starts as a packed file does, whatever its name.
        source: its format.

    Raises:
        DataError: it is of some other format, packed twice, or cannot be opened.
    """

    def __init__(self, path: str, source: TextSource) -> None:
        self.path = path
        try:
            self._raw = open_data(path)
            start = self._raw.read(32)
            self._raw.seek(0)
        except OSError as error:
            raise DataError(
                f"The data cannot be read: {error.strerror or error}.",
                where=path,
                fix="Check that the file is still there and its permissions.",
            ) from error
        self._packing = packing_of(start)
        self._stream: BinaryIO = self._raw
        self._position = 0
        try:
            if self._packing is not None:
                self._rewind(self._packing)
                start = self.read(32)
                self._rewind(self._packing)
                if inner := packing_of(start):
                    raise DataError(
                        "The data file is packed twice.",
                        where=path,
                        received=f"a {inner.name} file inside of a {self._packing.name} file",
                        fix="Unpack it once.",
                    )
            for magic, kind, fix in _FOREIGN:
                if start.startswith(magic):
                    raise DataError(f"The data file is not {FORMATS[source]}.", where=path, received=kind, fix=fix)
        except DataError:
            self._raw.close()
            raise

    def __enter__(self) -> TextFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()

    @property
    def compressed(self) -> bool:
        """Whether the file is packed, so that it cannot be entered in the middle."""
        return self._packing is not None

    def seek(self, position: int) -> None:
        """Goes to an offset of the (unpacked) bytes."""
        if self._packing is None:
            self._stream.seek(position)
            self._position = position
            return
        if position < self._position:
            self._rewind(self._packing)
        while self._position < position and self.read(min(1 << 20, position - self._position)):
            pass

    def read(self, size: int) -> bytes:
        """The next bytes; fewer than `size` only at the end.

        Raises:
            DataError: the file is damaged.
        """
        try:
            data = self._stream.read(size)
        except DAMAGES as error:
            raise self._damaged(error) from error
        self._position += len(data)
        return data

    def _rewind(self, packing: Packing) -> None:
        self._raw.seek(0)
        self._stream = packing.open(self._raw)
        self._position = 0

    def _damaged(self, error: Exception) -> DataError:
        packing = self._packing
        if packing is None:
            return DataError(f"The data cannot be read: {error}.", where=self.path, fix="Check the disk or the mount.")
        is_short = isinstance(error, EOFError) or "Truncated" in str(error)
        what = f"The {packing.name} file is {'cut off' if is_short else 'damaged'}."
        if "Not a gzipped file" in str(error):
            what = "Behind its gzip data the file holds something else."
        return DataError(
            what,
            where=f"{self.path}, after line {self._sound_lines(packing)}",
            received=str(error),
            fix=f"Fetch or make the file anew; {packing.check} FILE checks it.",
        )

    def _sound_lines(self, packing: Packing) -> int:
        """Lines that can be unpacked."""
        self._raw.seek(0)
        lines = 0
        with contextlib.suppress(*DAMAGES):
            stream = packing.open(self._raw)
            while piece := getattr(stream, "read1", stream.read)(1 << 13):
                lines += piece.count(b"\n")
        return lines
