"""A row as MySQL sends it."""

from __future__ import annotations

from components.queries.mysql_row import read_row


class _Packet:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def get_all_data(self) -> bytes:
        return self._data


def test_a_text_a_null_and_an_empty_text() -> None:
    assert read_row(_Packet(b"\x02ab\xfb\x00\x01c")) == [b"ab", None, b"", b"c"]


def test_lengths() -> None:
    for size in (250, 251, 255, 65535, 65536, 1 << 24):
        if size < 251:
            head = bytes([size])
        elif size < 1 << 16:
            head = b"\xfc" + size.to_bytes(2, "little")
        elif size < 1 << 24:
            head = b"\xfd" + size.to_bytes(3, "little")
        else:
            head = b"\xfe" + size.to_bytes(8, "little")
        assert read_row(_Packet(head + b"x" * size + b"\xfb")) == [b"x" * size, None]
