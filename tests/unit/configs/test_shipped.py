from __future__ import annotations

from pathlib import Path

import pytest

from configs.load import load_settings
from configs.settings import Settings
from configs.show import show

ROOT = Path(__file__).parents[3]
FILES = sorted(ROOT.joinpath("configs").glob("*.yaml"))


def test_there_are_files() -> None:
    assert {"taxi.yaml", "minimal.yaml"} <= {file.name for file in FILES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.name))
def test_it_loads_with_nothing_set_in_the_environment(file: Path, tmp_path: Path) -> None:
    settings = load_settings([file], (), {})
    assert Settings.model_validate(settings.dump()) == settings
    (tmp_path / "shown.yaml").write_text(show(settings))
    assert load_settings([tmp_path / "shown.yaml"], (), {}) == settings


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.name))
def test_it_opens_with_what_it_is_and_the_command_that_runs_it(file: Path) -> None:
    lines = file.read_text().splitlines()
    assert lines[0].startswith("# ")
    header = [line for line in lines[:8] if line.startswith("#")]
    assert any("scalable-tf run -c" in line for line in header)
