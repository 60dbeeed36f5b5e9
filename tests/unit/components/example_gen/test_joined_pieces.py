from __future__ import annotations

import pyarrow as pa

from components.example_gen.csv_blocks import Piece
from components.example_gen.joined_pieces import gather, join
from components.example_gen.record_blocks import RecordPiece
from components.example_gen.table_blocks import TablePiece


def piece(path: str, data: bytes, *names: str) -> Piece:
    return Piece(path, names or ("a",), 2, 2, data)


def test_pieces_are_joined_up_to_a_size() -> None:
    pieces = [piece(name, data) for name, data in (("f", b"1\n"), ("g", b"22"), ("h", b"3\n"), ("i", b"44444444\n"))]
    assert list(gather(pieces, 4)) == [pieces[:2], pieces[2:3], pieces[3:]]
    assert join(pieces[:3]) == piece("f", b"1\n22\n3\n")


def test_files_with_other_columns_are_not_joined() -> None:
    pieces = [piece("f", b"1\n", "a"), piece("g", b"1\n", "b"), piece("h", b"2\n", "b")]
    assert list(gather(pieces, 100)) == [pieces[:1], pieces[1:]]


def test_records() -> None:
    pieces = [RecordPiece("f", 3, [b"aa"]), RecordPiece("g", 1, [b"b", b"c"]), RecordPiece("h", 1, [b"d"])]
    assert list(gather(pieces, 4)) == [pieces[:2], pieces[2:]]
    assert join(pieces[:2]) == RecordPiece("f", 3, [b"aa", b"b", b"c"])


def test_tables_of_one_schema() -> None:
    pieces = [
        TablePiece(path, first, pa.RecordBatch.from_arrays([pa.array(values)], ["a"]))
        for path, first, values in (("f", 7, [1]), ("g", 1, [2, 3]), ("h", 1, ["4"]))
    ]
    assert [len(some) for some in gather(pieces, 1000)] == [2, 1]
    joined = join(pieces[:2])
    assert isinstance(joined, TablePiece)
    assert (joined.path, joined.first, joined.batch.to_pydict()) == ("f", 7, {"a": [1, 2, 3]})


def test_nothing() -> None:
    assert list(gather([], 1)) == []
