"""`scalable-tf doctor --engine`: two rows, through Java and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners import doctor
from runners.doctor import Check, run_checks
from tests.integration.engines.job_servers_of import job_servers_of

pytestmark = pytest.mark.slow


def beam_check(engine: str, monkeypatch: pytest.MonkeyPatch) -> Check:
    monkeypatch.setattr(doctor, "PROBES", {"beam": doctor.PROBES["beam"]})
    return next(check for check in run_checks(engine=engine) if check.name == "Beam")


def test_an_engine_that_works(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    check = beam_check(engine, monkeypatch)

    assert check.ok, check.detail
    assert check.detail.startswith(f"engine {engine}, Beam ")
    assert check.detail.endswith(": two rows, 1 and 2, sum to 3")
    assert job_servers_of(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_without_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    check = beam_check("flink", monkeypatch)

    assert (check.ok, check.detail) == (
        False,
        f"The job server of the engine needs Java. ({tmp_path}/bin/java)",
    )
    assert check.remedy.startswith("Install Java 11 or newer")
