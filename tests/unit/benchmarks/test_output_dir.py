from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.output_dir import examples_folder, our_metrics, released_model, vocabularies
from schemas.errors import RunError


def _metrics(output_dir: Path, execution: str, auc: float) -> None:
    folder = output_dir / "artifacts" / "Evaluator" / "evaluation" / execution
    folder.mkdir(parents=True)
    (folder / "eval_config.json").touch()
    (folder / "metrics.json").write_text(json.dumps({"Overall": {"auc": auc}, "payment_type:Cash": {"auc": 0.5}}))


def test_metrics_of_the_newest_execution(tmp_path: Path) -> None:
    _metrics(tmp_path, "9", 0.8)
    _metrics(tmp_path, "10", 0.9)

    assert our_metrics(tmp_path) == {"auc": 0.9}


def test_newest_release_that_is_complete(tmp_path: Path) -> None:
    for version in ("2", "11", ".staged-12"):
        (tmp_path / "releases" / "taxi" / version).mkdir(parents=True)
        (tmp_path / "releases" / "taxi" / version / "saved_model.pb").touch()
    (tmp_path / "releases" / "taxi" / "13").mkdir()

    assert released_model(tmp_path, "taxi").name == "11"


def test_examples_of_a_split(tmp_path: Path) -> None:
    (tmp_path / "artifacts/ExampleGen/examples/1/Split-eval").mkdir(parents=True)

    assert examples_folder(tmp_path, "eval") == tmp_path / "artifacts/ExampleGen/examples/1/Split-eval"


def test_vocabularies_keep_the_order_of_their_lines(tmp_path: Path) -> None:
    assets = tmp_path / "artifacts/Transform/transform_graph/5/transform_fn/assets"
    assets.mkdir(parents=True)
    (assets.parent / "saved_model.pb").touch()
    (assets / "payment_type").write_bytes(b"Cash\nCredit Card\n")

    assert vocabularies(tmp_path) == {"payment_type": [b"Cash", b"Credit Card"]}


def test_a_run_without_a_release(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="did not leave"):
        released_model(tmp_path, "taxi")
