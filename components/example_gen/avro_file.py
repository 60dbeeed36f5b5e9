"""Avro files: runs of their blocks of records as Arrow batches.

The container is read here rather than by fastavro, which would have to read the whole file to know its blocks, and
needs a package for each way of packing them; fastavro reads the records.
https://avro.apache.org/docs/1.11.1/specification/#object-container-files
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

import fastavro
import pyarrow as pa

from components.example_gen.avro_codecs import CODECS
from components.example_gen.avro_types import arrow_column
from components.example_gen.encode import varint
from components.example_gen.row_group import RowGroup
from schemas.errors import ScalableTFError

_MAGIC = b"Obj\x01"
_RUN_BYTES = 1 << 20
_RUN_RECORDS = 8 << 10  # fastavro makes a dict of each
_SYNC_BYTES = 16
_HEADER = {
    "type": "record",
    "name": "Header",
    "fields": [
        {"name": "magic", "type": {"type": "fixed", "name": "Magic", "size": len(_MAGIC)}},
        {"name": "meta", "type": {"type": "map", "values": "bytes"}},
        {"name": "sync", "type": {"type": "fixed", "name": "Sync", "size": _SYNC_BYTES}},
    ],
}


class AvroFile:
    """An Avro file, of which only the head is read before more is asked for.

    Args:
        file: open for reading.
        path: of it, for messages.

    Attributes:
        names: of the fields of its records.

    Raises:
        OSError: it cannot be read, is no Avro file, or is damaged.
    """

    def __init__(self, file: BinaryIO, path: str) -> None:
        self._file, self._path = file, path
        with _readable("the head"):
            if file.read(len(_MAGIC)) != _MAGIC:
                raise ValueError("it does not start as Avro does")
            file.seek(0)
            header: Any = fastavro.schemaless_reader(file, _HEADER, None)
            self._blocks = file.tell()
            self._sync: bytes = header["sync"]
            codec = header["meta"].get("avro.codec", b"null").decode()
            if codec not in CODECS:
                raise ValueError(f"its blocks are packed by {codec}, which is not read")
            self._unpack = CODECS[codec]
            schema = json.loads(header["meta"]["avro.schema"])
            self._named: dict[str, Any] = {}
            parsed: Any = fastavro.parse_schema(schema, self._named)
            if not isinstance(parsed, dict) or parsed["type"] != "record":
                raise ValueError("it holds no records")
            self._types = {field["name"]: field["type"] for field in parsed["fields"]}
            self._head = _plain_head(schema, self._sync)
            self.names = list(self._types)

    def find_groups(self) -> list[RowGroup]:
        """Runs of blocks of at most about a MiB, in the order of the records; the whole file is read for that.

        Raises:
            OSError: the file is damaged.
        """
        groups: list[RowGroup] = []
        with _readable("the blocks"):
            self._file.seek(self._blocks)
            first, records = self._blocks, 0
            while (block := self._block(self._file)) is not None:
                count, size = block
                self._file.seek(size, io.SEEK_CUR)
                if self._file.read(_SYNC_BYTES) != self._sync:
                    raise ValueError(f"the block before byte {self._file.tell()} is cut off or damaged")
                records += count
                size = self._file.tell() - first
                if size >= _RUN_BYTES or records >= _RUN_RECORDS:
                    groups.append(RowGroup(first, records, size))
                    first, records = first + size, 0
            if records:
                groups.append(RowGroup(first, records, self._file.tell() - first))
        return groups

    def read(self, group: RowGroup, columns: Sequence[str]) -> pa.RecordBatch:
        """The records of a group.

        Args:
            group: one of `find_groups`.
            columns: the fields that are wanted.

        Raises:
            DataError: a field that is wanted is nested, or of a type that is not read.
            OSError: the file is damaged.
        """
        with _readable(f"the blocks from byte {group.start} on"):
            self._file.seek(group.start)
            packed = io.BytesIO(self._file.read(group.bytes))
            plain = io.BytesIO()
            plain.write(self._head)
            while (block := self._block(packed)) is not None:
                data = self._unpack(packed.read(block[1]))
                packed.seek(_SYNC_BYTES, io.SEEK_CUR)
                # In zigzag, of numbers that are not negative.
                plain.write(varint(block[0] << 1) + varint(len(data) << 1) + data + self._sync)
            plain.seek(0)
            records: list[Any] = list(fastavro.reader(plain))
            if len(records) != group.rows:
                raise ValueError(f"{len(records)} records instead of {group.rows}")
        arrays = [
            arrow_column(name, [record[name] for record in records], self._types[name], self._named, self._path)
            for name in columns
        ]
        return pa.RecordBatch.from_arrays(arrays, list(columns))

    def _block(self, file: BinaryIO) -> tuple[int, int] | None:
        """(records, bytes) of the block that comes next; None at the end."""
        count = _read_varint(file)
        if count is None:
            return None
        size = _read_varint(file)
        if size is None or size < 0 or count < 0:
            raise ValueError(f"the block before byte {file.tell()} is cut off or damaged")
        return count, size


@contextmanager
def _readable(place: str) -> Iterator[None]:
    """Whatever damaged bytes make the libraries raise is an OSError that says where."""
    try:
        yield
    except (OSError, ScalableTFError):
        raise
    except Exception as error:
        raise OSError(f"{place}: {error or type(error).__name__}") from error


def _plain_head(schema: Any, sync: bytes) -> bytes:
    """The head of an unpacked file of the same records without logical types, whose values Python may not hold."""
    head = io.BytesIO()
    meta = {"avro.schema": json.dumps(_without_logical(schema)).encode(), "avro.codec": b"null"}
    fastavro.schemaless_writer(head, _HEADER, {"magic": _MAGIC, "meta": meta, "sync": sync})
    return head.getvalue()


def _without_logical(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_logical(each) for each in schema]
    if isinstance(schema, dict):
        return {key: _without_logical(value) for key, value in schema.items() if key != "logicalType"}
    return schema


def _read_varint(file: BinaryIO) -> int | None:
    """A zigzag number of up to ten bytes; None at the end of the file."""
    number = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            if shift:
                raise ValueError("the file is cut off")
            return None
        number |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return (number >> 1) ^ -(number & 1)
    raise ValueError(f"no number before byte {file.tell()}")
