"""Pieces of small files read as one: each column costs the same few calls for every piece, however few rows it has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pyarrow as pa

from components.example_gen.csv_blocks import Piece
from components.example_gen.record_blocks import RecordPiece
from components.example_gen.table_blocks import TablePiece

AnyPiece = Piece | RecordPiece | TablePiece


def gather(pieces: Iterable[AnyPiece], piece_bytes: int) -> Iterator[list[AnyPiece]]:
    """The pieces in their order, as many together as can be joined and have no more bytes than one may have."""
    together: list[AnyPiece] = []
    room = 0
    for piece in pieces:
        size = _bytes(piece)
        if together and (size > room or _kind(piece) != _kind(together[0])):
            yield together
            together = []
        room = (room if together else piece_bytes) - size
        together.append(piece)
    if together:
        yield together


def join(pieces: list[AnyPiece]) -> AnyPiece:
    """One piece with the rows of all, which are of one kind; its place is that of the first."""
    first = pieces[0]
    if isinstance(first, RecordPiece):
        return RecordPiece(first.path, first.first, [record for piece in pieces for record in _records(piece)])
    if isinstance(first, TablePiece):
        table = pa.Table.from_batches([piece.batch for piece in pieces if isinstance(piece, TablePiece)])
        return TablePiece(first.path, first.first, table.combine_chunks().to_batches()[0])
    return replace(first, data=b"".join(map(_lines, pieces)))


def _bytes(piece: AnyPiece) -> int:
    if isinstance(piece, TablePiece):
        return int(piece.batch.nbytes)
    return sum(map(len, piece.records)) if isinstance(piece, RecordPiece) else len(piece.data)


def _kind(piece: AnyPiece) -> object:
    if isinstance(piece, TablePiece):
        return piece.batch.schema
    return RecordPiece if isinstance(piece, RecordPiece) else piece.names


def _records(piece: AnyPiece) -> list[bytes]:
    return piece.records if isinstance(piece, RecordPiece) else []


def _lines(piece: AnyPiece) -> bytes:
    data = piece.data if isinstance(piece, Piece) else b""
    return data if data.endswith(b"\n") else data + b"\n"
