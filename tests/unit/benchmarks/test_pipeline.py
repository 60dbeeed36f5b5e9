from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import pipeline
from tests.unit.benchmarks.results import made_result


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runs, which take minutes, are made up; of 20,000 rows a check does not hold."""

    def compare(folder: Path, rows: int, **options: Any) -> dict[str, Any]:
        (folder / "left").touch()
        checks = [{"what": "rows, train", "stock": "10", "ours": "9", "holds": rows != 20_000}]
        return made_result(rows, checks=checks, warm=options["warm"])

    monkeypatch.setattr(pipeline, "compare", compare)
    monkeypatch.setattr(pipeline, "require_byte_code", lambda: None)


def test_one_size_as_json(tmp_path: Path, failing: None) -> None:
    assert pipeline.main(["--rows", "10000", "--json", str(tmp_path / "out.json")]) == 0
    found = json.loads((tmp_path / "out.json").read_text())
    assert (found["rows"], found["ours_seconds"], found["warm"]) == (10_000, 10.0, False)
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


@pytest.mark.slow
def test_several_sizes_as_a_folder_smallest_first(tmp_path: Path, failing: None) -> None:
    assert pipeline.main(["--rows", "1000000", "10000", "--warm", "--output", str(tmp_path / "new" / "folder")]) == 0
    files = tmp_path / "new" / "folder"
    assert sorted(path.name for path in files.iterdir()) == ["pipeline.json", "pipeline.md", "pipeline.png"]
    sizes = json.loads((files / "pipeline.json").read_text())["sizes"]
    assert [(size["rows"], size["warm"]) for size in sizes] == [(10_000, True), (1_000_000, True)]
    assert "## Nodes, 1,000,000 rows" in (files / "pipeline.md").read_text()


@pytest.mark.slow
def test_results_that_differ_are_written_and_an_error(
    tmp_path: Path, failing: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pipeline.main(["--rows", "10000", "20000", "--output", str(tmp_path)]) == 1
    assert len(json.loads((tmp_path / "pipeline.json").read_text())["sizes"]) == 2
    assert "did not give the same results" in capsys.readouterr().err


def test_json_takes_one_size(tmp_path: Path, failing: None, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        pipeline.main(["--rows", "10000", "20000", "--json", str(tmp_path / "out.json")])
    assert "--json takes one size" in capsys.readouterr().err


@pytest.mark.slow
def test_what_is_kept(tmp_path: Path, failing: None) -> None:
    pipeline.main(["--rows", "10000", "15000", "--output", str(tmp_path / "out"), "--keep", str(tmp_path / "kept")])
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob("kept/*/*")) == [
        "kept/10000/left",
        "kept/15000/left",
    ]
