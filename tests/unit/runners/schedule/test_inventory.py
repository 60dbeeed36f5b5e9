from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from configs.load import load_settings
from configs.settings import Settings
from runners.schedule.inventory import Inventory, check_spans
from runners.schedule.situation import Arrived
from schemas.errors import DataError, SettingsError

SETTINGS = """\
name: trips
output_dir: out
data: {path: "PATH"}
features:
  fare: {kind: numeric}
label: {kind: binary, expression: tips > 1}
evaluation: {thresholds: {auc: {lower: 0.5}}}
"""
Of = Callable[..., Settings]


@pytest.fixture
def of(tmp_path: Path) -> Of:
    def make(path: str, *overrides: str) -> Settings:
        file = tmp_path / "settings.yaml"
        file.write_text(SETTINGS.replace("PATH", path))
        return load_settings([file], overrides, {})

    return make


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("fare,tips\n1,2\n")


def test_spans_by_date_with_their_newest_version(of: Of, tmp_path: Path) -> None:
    write(tmp_path, "2026-11-24/v1/a.csv", "2026-11-25/v1/a.csv", "2026-11-25/v2/a.csv", "readme/v1/a.csv")
    inventory = Inventory(of(f"{tmp_path}/{{YYYY}}-{{MM}}-{{DD}}/v{{VERSION}}"))
    assert inventory.dated
    assert inventory.arrived() == {20781: Arrived(version=1), 20782: Arrived(version=2)}


def test_two_names_for_one_span_are_a_conflict(of: Of, tmp_path: Path) -> None:
    write(tmp_path, "7.csv", "007.csv", "8.csv")
    found = Inventory(of(f"{tmp_path}/{{SPAN}}.csv")).arrived()
    assert found[7].conflict == "two names stand for one span: 007.csv, 7.csv"
    assert found[8] == Arrived()


def test_the_fingerprint_is_of_the_content_and_the_signature_of_the_file(of: Of, tmp_path: Path) -> None:
    write(tmp_path, "1.csv")
    inventory = Inventory(of(f"{tmp_path}/{{SPAN}}.csv"))
    before = inventory.signature(1), inventory.fingerprint(1)
    write(tmp_path, "other")
    (tmp_path / "other").replace(tmp_path / "1.csv")
    assert inventory.signature(1) != before[0]
    assert inventory.fingerprint(1) == before[1]
    (tmp_path / "1.csv").write_text("fare,tips\n1,3\n")
    assert inventory.fingerprint(1) != before[1]


@pytest.mark.parametrize("path", ["data.csv", "data/*.csv", "package:tfx/data.csv"])
def test_data_without_spans_are_refused(of: Of, path: str) -> None:
    with pytest.raises(SettingsError, match="needs data that come in spans"):
        check_spans(of(path))


@pytest.mark.parametrize(
    "path",
    ["d/*{SPAN}.csv", "d/{SPAN}{VERSION}.csv", "d/{YYYY}{MM}{DD}{VERSION}.csv", "d/v1{SPAN}.csv", "d/{SPAN}[0-9].csv"],
)
def test_patterns_of_which_a_name_may_mean_several_spans_are_refused(of: Of, path: str) -> None:
    with pytest.raises(SettingsError, match="where the number of a span begins or ends"):
        check_spans(of(path))


@pytest.mark.parametrize(
    "path",
    ["d/{SPAN}.csv", "d/{SPAN:3}{VERSION:2}.csv", "d/{YYYY}{MM}{DD}-{VERSION}.csv", "d/**/{SPAN}/*.csv", "d/s{SPAN}/x"],
)
def test_patterns_that_are_clear(of: Of, path: str) -> None:
    check_spans(of(path))


def test_a_span_that_is_set_is_refused(of: Of) -> None:
    with pytest.raises(SettingsError, match="The schedule chooses the span"):
        check_spans(of("d/{SPAN}.csv", "data.span=3"))


def test_a_pattern_without_meaning_is_refused(of: Of) -> None:
    with pytest.raises(DataError, match="needs all of"):
        check_spans(of("d/{YYYY}.csv"))
