"""The doctor's processes, on the real TensorFlow, Beam and ML Metadata."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.load import load_settings
from configs.settings import Settings
from runners import doctor
from runners.doctor import Check, run_checks

TAXI = Path(__file__).resolve().parents[2] / "configs" / "taxi.yaml"


def _settings(output_dir: Path, *overrides: str) -> Settings:
    return load_settings([TAXI], [f"output_dir={output_dir}", *overrides], {})


def _metadata_store(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Check:
    monkeypatch.setattr(doctor, "PROBES", {"metadata": doctor.PROBES["metadata"]})
    return next(check for check in run_checks(settings) if check.name == "metadata store")


def test_all_is_well_here(tmp_path: Path) -> None:
    checks = {check.name: check for check in run_checks(_settings(tmp_path / "outputs"))}

    assert {name: check.detail for name, check in checks.items() if not check.ok} == {}
    assert checks["Keras"].detail.startswith("TF_USE_LEGACY_KERAS=1: tf.keras is tf_keras 2.")
    assert checks["Beam"].detail.endswith(": two rows, 1 and 2, sum to 3")
    assert list(tmp_path.iterdir()) == []


def test_a_corrupt_store_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "metadata.sqlite").write_text("no database")

    check = _metadata_store(_settings(tmp_path), monkeypatch)

    assert not check.ok
    assert "file is not a database" in check.detail


def test_a_server_that_is_not_there_is_a_problem_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _settings(tmp_path, "metadata.url=mysql://me:hunter2@127.0.0.1:1/db", "metadata.retry_seconds=1000")

    check = _metadata_store(settings, monkeypatch)

    assert not check.ok
    assert check.detail.startswith("The metadata store cannot be reached. (mysql://me@127.0.0.1:1/db; 2003: ")
    assert "hunter2" not in check.detail + check.remedy
