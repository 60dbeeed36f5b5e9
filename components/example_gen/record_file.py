"""TFRecord files, plain or gzip, record by record, with every checksum held against its bytes.

The format is that of `components.example_gen.tfrecord`, which writes it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from components.example_gen.data_files import open_data, size_of
from components.example_gen.packing import PACKINGS
from components.example_gen.tfrecord import masked_crc
from schemas.errors import DataError

_GZIP = PACKINGS[0]  # the one that TensorFlow writes
_LENGTH = struct.Struct("<Q")
_CHECKSUM = struct.Struct("<I")
_HEAD = _LENGTH.size + _CHECKSUM.size


class RecordFile:
    """A TFRecord file, open for reading.

    Args:
        path: the file; gzip when it starts as gzip does, whatever its name.
        offset: (unpacked) byte at which a record starts.

    Raises:
        DataError: it cannot be opened.
    """

    def __init__(self, path: str, offset: int = 0) -> None:
        self.path = path
        try:
            self._raw = open_data(path)
        except OSError as error:
            raise DataError(
                f"The data cannot be read: {error.strerror or error}.",
                where=path,
                fix="Check that the file is still there and its permissions.",
            ) from error
        self.compressed = self._raw.read(len(_GZIP.magic)) == _GZIP.magic
        self._raw.seek(0 if self.compressed else offset)
        self._stream = _GZIP.open(self._raw) if self.compressed else self._raw
        self.position = offset

    def __enter__(self) -> RecordFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()

    def records(self) -> Iterator[tuple[int, bytes]]:
        """(offset, record) for each of the records from here on.

        Raises:
            DataError: the file is cut off, damaged, or no TFRecord file.
        """
        while (length := self._length()) is not None:
            start = self.position - _HEAD
            data = self._bytes(length + _CHECKSUM.size, start)
            if len(data) < length + _CHECKSUM.size:
                raise self._cut(start)
            record = data[:length]
            if _CHECKSUM.unpack(data[length:])[0] != masked_crc(record):
                raise self._damaged(start, "the checksum of its bytes is wrong")
            yield start, record

    def offsets(self) -> Iterator[int]:
        """The offset of each record from here on, without reading them; the file is not compressed.

        Raises:
            DataError: the file is cut off, damaged, or no TFRecord file.
        """
        size = size_of(self.path)
        while (length := self._length()) is not None:
            start = self.position - _HEAD
            self.position += length + _CHECKSUM.size
            if self.position > size:
                raise self._cut(start)
            self._raw.seek(self.position)
            yield start

    def _length(self) -> int | None:
        """The length of the next record, or None at the end of the file."""
        start = self.position
        head = self._bytes(_HEAD, start)
        if not head:
            return None
        sound = len(head) == _HEAD and _CHECKSUM.unpack(head[_LENGTH.size :])[0] == masked_crc(head[: _LENGTH.size])
        if not sound and start == 0:
            raise DataError(
                "The data file is not a TFRecord file.",
                where=self.path,
                received=f"it starts with {head!r}",
                fix="Give TFRecords of tf.Example, plain or gzip; for CSV set data.source: csv.",
            )
        if not sound:
            raise self._cut(start) if len(head) < _HEAD else self._damaged(start, "the checksum of its length is wrong")
        length: int = _LENGTH.unpack(head[: _LENGTH.size])[0]
        return length

    def _bytes(self, size: int, start: int) -> bytes:
        """The next bytes; fewer only at the end of the file."""
        try:
            data = self._stream.read(size)
        except EOFError as error:
            raise self._cut(start) from error
        except (zlib.error, OSError) as error:
            raise self._damaged(start, str(error)) from error
        self.position += len(data)
        return data

    def _cut(self, start: int) -> DataError:
        return DataError(
            "The TFRecord file is cut off.",
            where=f"{self.path}, record at byte {start}",
            received="the file ends within the record",
            fix="Fetch or make the file anew; writers should rename finished files into place.",
        )

    def _damaged(self, start: int, received: str) -> DataError:
        return DataError(
            "The TFRecord file is damaged.",
            where=f"{self.path}, record at byte {start}",
            received=received,
            fix="Fetch or make the file anew.",
        )
