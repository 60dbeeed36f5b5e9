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
from dataclasses import dataclass
from typing import Any, BinaryIO

import fastavro
import pyarrow as pa

from components.example_gen.avro_codecs import CODECS
from components.example_gen.avro_types import arrow_column
from components.example_gen.data_files import open_data
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


@dataclass(frozen=True)
class AvroRun:
    """Blocks that are read together: their bytes in the file, and how many records they hold."""

    offset: int
    bytes: int
    records: int


class AvroFile:
    """An Avro file; nothing of it is kept open.

    Args:
        path: the file.

    Attributes:
        names: of the fields of its records.
        runs: at most about a MiB each, in the order of the records.

    Raises:
        OSError: it cannot be read, is no Avro file, or is damaged.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        with _readable("the head"), open_data(path) as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise ValueError("it does not start as Avro does")
            file.seek(0)
            header: Any = fastavro.schemaless_reader(file, _HEADER, None)
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
            self.runs = self._scan(file)

    def read(self, run: int, columns: Sequence[str]) -> pa.RecordBatch:
        """The records of a run.

        Args:
            run: its number.
            columns: the fields that are wanted.

        Raises:
            DataError: a field that is wanted is nested, or of a type that is not read.
            OSError: the file is damaged.
        """
        wanted = self.runs[run]
        with _readable(f"the blocks from byte {wanted.offset} on"):
            with open_data(self._path) as file:
                file.seek(wanted.offset)
                packed = io.BytesIO(file.read(wanted.bytes))
            plain = io.BytesIO()
            plain.write(self._head)
            while (block := self._block(packed)) is not None:
                data = self._unpack(packed.read(block[1]))
                packed.seek(_SYNC_BYTES, io.SEEK_CUR)
                plain.write(_varint(block[0]) + _varint(len(data)) + data + self._sync)
            plain.seek(0)
            records: list[Any] = list(fastavro.reader(plain))
            if len(records) != wanted.records:
                raise ValueError(f"{len(records)} records instead of {wanted.records}")
        arrays = [
            arrow_column(name, [record[name] for record in records], self._types[name], self._named, self._path)
            for name in columns
        ]
        return pa.RecordBatch.from_arrays(arrays, list(columns))

    def _scan(self, file: BinaryIO) -> list[AvroRun]:
        runs: list[AvroRun] = []
        first, records = file.tell(), 0
        while (block := self._block(file)) is not None:
            count, size = block
            file.seek(size, io.SEEK_CUR)
            if file.read(_SYNC_BYTES) != self._sync:
                raise ValueError(f"the block before byte {file.tell()} is cut off or damaged")
            records += count
            if file.tell() - first >= _RUN_BYTES or records >= _RUN_RECORDS:
                runs.append(AvroRun(first, file.tell() - first, records))
                first, records = file.tell(), 0
        return [*runs, AvroRun(first, file.tell() - first, records)] if records else runs

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


def _varint(number: int) -> bytes:
    """A number that is not negative, in zigzag."""
    number <<= 1
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)
