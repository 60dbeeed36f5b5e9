"""Columns to serialized tf.Examples, without making a message object for each row.

The bytes are those of `Example.SerializeToString(deterministic=True)`: features in the order of their names' UTF-8
bytes, packed lists, and, for a missing value, an empty list of the column's type (no list where the column has no
type), as stock CsvExampleGen makes them. tfx_bsl's RecordBatchToExamplesEncoder cannot be used: its map order is not
deterministic, and the split of a row is decided by its bytes.

Wire format (https://protobuf.dev/programming-guides/encoding): Example{1: Features{1: map<string, Feature>}},
Feature{1: BytesList | 2: FloatList | 3: Int64List}, each list {1: values}.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.values import ValueType

_EMPTY: dict[ValueType, bytes] = {"none": b"", "string": b"\x0a\x00", "float": b"\x12\x00", "int": b"\x1a\x00"}


def encode_examples(columns: Mapping[str, tuple[ValueType, Any]]) -> list[bytes]:
    """One serialized tf.Example for each row.

    Args:
        columns: for each name its type and an Arrow DictionaryArray of values of that type (int64, float32, string;
            any for none, where every value is missing), null where missing; all of one length.
    """
    names = sorted(columns, key=lambda name: name.encode())
    entries = [_rows(name, *columns[name]) for name in names]
    features = pc.binary_join_element_wise(*entries, pa.scalar(b"", pa.binary()))
    lengths = np.asarray(pc.binary_length(features)).astype(np.int64)
    distinct, which = np.unique(lengths, return_inverse=True)
    heads = pa.array([b"\x0a" + varint(int(length)) for length in distinct], pa.binary()).take(
        pa.array(which.reshape(-1))
    )
    examples: list[bytes] = pc.binary_join_element_wise(heads, features, pa.scalar(b"", pa.binary())).to_pylist()
    return examples


def varint(number: int) -> bytes:
    """A non-negative number in base 128, low digits first, the high bit set on all but the last byte."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _rows(name: str, kind: ValueType, values: Any) -> Any:
    """The map entry of one feature for each row, as an Arrow array of bytes."""
    missing = pa.array([_entry(name, _EMPTY[kind])], pa.binary())
    distinct = values.dictionary
    if kind == "none" or not len(distinct):
        return missing.take(pa.array(np.zeros(len(values), np.int32)))
    encoded = {"int": _ints, "float": _floats, "string": _strings}[kind](name, distinct)
    every = pa.concat_arrays([encoded, missing])
    return every.take(pc.fill_null(values.indices, len(distinct)))


def _entry(name: str, feature: bytes) -> bytes:
    key = name.encode()
    inner = b"\x0a" + varint(len(key)) + key + b"\x12" + varint(len(feature)) + feature
    return b"\x0a" + varint(len(inner)) + inner


def _floats(name: str, values: Any) -> Any:
    whole = np.frombuffer(_entry(name, b"\x12\x06\x0a\x04" + bytes(4)), np.uint8)
    rows = np.tile(whole, (len(values), 1))
    rows[:, -4:] = np.asarray(values.fill_null(0.0)).astype("<f4", copy=False).view(np.uint8).reshape(-1, 4)
    return _binary(rows.reshape(-1), np.arange(len(values) + 1) * len(whole))


def _ints(name: str, values: Any) -> Any:
    numbers = np.asarray(values.fill_null(0)).astype(np.int64, copy=False).view(np.uint64)
    lengths = np.ones(len(numbers), np.int64)
    rest = numbers >> np.uint64(7)
    while rest.any():
        lengths += rest > 0
        rest = rest >> np.uint64(7)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    digits = np.empty(int(offsets[-1]), np.uint8)
    for place in range(int(lengths.max())):
        there = lengths > place
        digit = (numbers[there] >> np.uint64(7 * place)).astype(np.uint8) & np.uint8(0x7F)
        digit[lengths[there] > place + 1] |= np.uint8(0x80)
        digits[offsets[:-1][there] + place] = digit
    heads = [_entry(name, b"\x1a" + varint(n + 2) + b"\x0a" + varint(n) + bytes(n))[:-n] for n in range(1, 11)]
    return _joined(pa.array(heads, pa.binary()).take(pa.array(lengths - 1)), _binary(digits, offsets))


def _strings(name: str, values: Any) -> Any:
    texts = values.cast(pa.binary())
    lengths, which = np.unique(np.asarray(pc.binary_length(texts)).astype(np.int64), return_inverse=True)
    heads = [_string_head(name, int(length)) for length in lengths]
    return _joined(pa.array(heads, pa.binary()).take(pa.array(which.reshape(-1))), texts)


def _string_head(name: str, length: int) -> bytes:
    """What comes before the text; as `_entry`, without making a text of that length."""
    key = name.encode()
    value = b"\x0a" + varint(length)
    values = b"\x0a" + varint(len(value) + length) + value
    inner = b"\x0a" + varint(len(key)) + key + b"\x12" + varint(len(values) + length) + values
    return b"\x0a" + varint(len(inner) + length) + inner


def _binary(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> Any:
    return pa.Array.from_buffers(
        pa.binary(), len(offsets) - 1, [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(data)]
    )


def _joined(left: Any, right: Any) -> Any:
    return pc.binary_join_element_wise(left, right, pa.scalar(b"", pa.binary()))
