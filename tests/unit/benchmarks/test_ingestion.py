from __future__ import annotations

from pathlib import Path

from benchmarks.ingestion import part_file, report


def test_a_file_in_parts_has_the_same_rows(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("a,b\n1,2\n3,4\n5,6\n")
    part_file(tmp_path / "one.csv", tmp_path / "many", 2)
    assert [path.read_text() for path in sorted((tmp_path / "many").iterdir())] == ["a,b\n1,2\n", "a,b\n3,4\n5,6\n"]


def test_report() -> None:
    run = {"files": 1, "bytes": 3 << 20, "rows": 1000, "block_bytes": 1 << 20, "node_seconds": 2.0, "peak_mb": 300.0}
    lines = report({"by_block": [run], "by_files": [run, {**run, "files": 50, "node_seconds": 3.0}]}).splitlines()
    assert lines[8].split() == "| 3 MiB | 1,000 | 1 MiB | 2.000 | 300.0 |".split()
    assert lines[-1].split() == "| 50 | 1,000 | 3.000 | 1.500 | 300.0 |".split()
