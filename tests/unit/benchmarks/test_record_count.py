from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from benchmarks.record_count import record_count
from components.example_gen.tfrecord import ShardWriter
from schemas.errors import RunError


def write(file: Path, *records: bytes) -> None:
    with ShardWriter(str(file)) as shard:
        shard.write(records)


def test_records_of_all_files(tmp_path: Path) -> None:
    write(tmp_path / "data-0.gz", b"a", b"", b"long" * 100)
    write(tmp_path / "data-1.gz", b"b")
    write(tmp_path / "data-2.gz")
    assert record_count(tmp_path) == 4


def test_no_files(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no examples"):
        record_count(tmp_path)


@pytest.mark.parametrize("cut", [3, 14])
def test_a_file_that_was_cut(tmp_path: Path, cut: int) -> None:
    write(tmp_path / "data.gz", b"abc")
    whole = gzip.decompress((tmp_path / "data.gz").read_bytes())
    (tmp_path / "data.gz").write_bytes(gzip.compress(whole + whole[:cut]))
    with pytest.raises(RunError, match="ends within a record") as caught:
        record_count(tmp_path)
    assert caught.value.received == "record 2"
