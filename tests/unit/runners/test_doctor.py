from __future__ import annotations

from pathlib import Path

import pytest

from configs.load import load_settings
from configs.settings import Settings
from runners import doctor
from runners.doctor import Check, report, run_checks

TAXI = Path(__file__).resolve().parents[3] / "configs" / "taxi.yaml"


@pytest.fixture(autouse=True)
def _without_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that need TensorFlow, Beam and ML Metadata are tried in tests/integration."""
    monkeypatch.setattr(doctor, "PROBES", {})


def _settings(output_dir: Path) -> Settings:
    return load_settings([TAXI], [f"output_dir={output_dir}"], {})


def _found(settings: Settings | None = None) -> dict[str, Check]:
    return {check.name: check for check in run_checks(settings)}


def test_all_is_well_here() -> None:
    assert {name: check.ok for name, check in _found().items()} == {
        "interpreter": True,
        "packages": True,
        "write access": True,
        "disk": True,
    }


def test_report_shows_the_remedy_of_a_problem_only(capsys: pytest.CaptureFixture[str]) -> None:
    code = report([Check("disk", True, "9.0 GB free", "unseen"), Check("Beam", False, "no answer", "make setup")])

    assert code == 1
    assert capsys.readouterr().out == (
        "ok       disk            9.0 GB free\n"
        "problem  Beam            no answer\n"
        "                         Fix: make setup\n"
    )


def test_exit_code_is_0_when_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert report([Check("disk", True, "9.0 GB free")]) == 0


def test_an_output_dir_that_cannot_be_made_is_a_problem() -> None:
    check = _found(_settings(Path("/proc/nowhere")))["write access"]

    # The kernel's answer to root, and to everyone else.
    assert (check.ok, check.detail) in {
        (False, "/proc/nowhere: No such file or directory"),
        (False, "/proc/nowhere: Permission denied"),
    }


def test_an_output_dir_under_a_file_is_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    check = _found(_settings(file / "outputs"))["write access"]

    assert (check.ok, check.detail) == (False, f"{file}/outputs: Not a directory")


def test_an_output_dir_is_not_made_by_looking_at_it(tmp_path: Path) -> None:
    assert _found(_settings(tmp_path / "a" / "b"))["write access"].ok
    assert list(tmp_path.iterdir()) == []


def test_too_little_disk_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "NEEDED_BYTES", 10**18)

    check = _found(_settings(tmp_path / "outputs"))["disk"]

    assert not check.ok
    assert check.detail.endswith(f"GB free at {tmp_path}")
    assert check.remedy.startswith("have 1000000000 GB free there")


def test_a_probe_that_dies_is_a_problem_with_its_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PROBES", {"unknown": ("its name", "its remedy")})

    assert _found()["its name"] == Check("its name", False, "KeyError: 'unknown'", "its remedy")


def test_a_probe_that_hangs_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PROBES", {"beam": ("Beam", "its remedy")})
    monkeypatch.setattr(doctor, "PROBE_SECONDS", 0.001)

    assert _found()["Beam"] == Check("Beam", False, "no answer in 0.001 seconds", "its remedy")
