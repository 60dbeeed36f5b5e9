"""The schedule on the seven real days of configs/taxi_daily.yaml; its sibling on made-up days is test_schedule.py."""

from __future__ import annotations

import csv
import gzip
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.integration.command_server import Command, CommandServer

pytestmark = pytest.mark.slow

SMALL = [
    "model={architecture: dcn, embedding_size: 4, hidden_units: [16], cross_layers: 1}",
    "training.epochs=1",
    "training.backup_seconds=0",
    "training.tensorboard=false",
    "smoke_check.enabled=false",
]
MORNING_AFTER = "2022-05-19T12:00:00Z"


def span(day: str) -> int:
    return (date.fromisoformat(day) - date(1970, 1, 1)).days


@dataclass(frozen=True)
class Data:
    """What is in the days."""

    folder: Path

    def rows(self, day: str) -> list[dict[str, str]]:
        with gzip.open(self.folder / "chicago_taxi/spans" / day / "data.csv.gz", "rt", encoding="utf-8") as text:
            return list(csv.DictReader(text))

    def share(self, day: str, column: str) -> float:
        """Of the rows that have a value."""
        values = [row[column] for row in self.rows(day)]
        return sum(value != "" for value in values) / len(values)


class Week:
    """What the schedule makes of the days in an output_dir."""

    def __init__(self, commands: CommandServer, output: Path) -> None:
        self._commands, self.output = commands, output

    def run(self, action: str, *words: str) -> Command:
        overrides = [word for text in (f"output_dir={self.output}", *SMALL) for word in ("--set", text)]
        now = ["--now", MORNING_AFTER]
        return self._commands.run(["schedule", action, "-c", "configs/taxi_daily.yaml", *overrides, *now, *words])

    def spans(self) -> dict[int, tuple[str, int]]:
        command = self.run("status", "--json")
        assert command.wait() == 0, command.text
        found: list[dict[str, Any]] = json.loads(command.stdout.read_text())["spans"]
        return {one["span"]: (one["state"], one["release"]) for one in found if one["state"] != "missing"}

    def log(self, day: str) -> str:
        """What the newest run of a day said."""
        *_, newest = sorted((self.output / "logs/schedule").glob(f"*-span-{span(day)}.log"))
        return newest.read_text()


def test_real_days_are_trained_on_refused_and_released_for_what_is_in_them(
    commands: CommandServer, stf_data: Path, tmp_path: Path
) -> None:
    data = Data(stf_data)
    week = Week(commands, tmp_path / "output")

    # Three years lie between the first day and the fourth: drift. Two days are fragments, of 5 and 3 rows, of which no
    # split of two thirds and one holds both classes.
    assert [len(data.rows(day)) for day in ("2019-03-12", "2019-03-26")] == [5, 3]
    command = week.run("backfill", "--from", "2019-03-05", "--to", "2022-03-01")
    assert command.wait() == 1, command.text
    assert week.spans() == {
        span("2019-03-05"): ("trained", 1),
        span("2019-03-12"): ("refused", 0),
        span("2019-03-26"): ("refused", 0),
        span("2022-03-01"): ("refused", 0),
        **{span(day): ("new", 0) for day in ("2022-05-16", "2022-05-17", "2022-05-18")},
    }
    for day in ("2019-03-12", "2019-03-26"):
        assert "Split 'train' holds one class only, although the data hold more." in week.log(day)
    drift = week.log("2022-03-01")
    assert "The data are far from what they are compared with" in drift
    assert f"between span {span('2022-03-01')} (2022-03-01) and span {span('2019-03-05')} (2019-03-05)" in drift

    # The change is to stay. Of the last days none has coordinates, which nothing reads. The last one is a part of a
    # day, whose trips lack the community area where they ended more often than the schema lets pass.
    assert [data.share(day, "pickup_latitude") for day in ("2022-05-16", "2022-05-17", "2022-05-18")] == [0, 0, 0]
    areas = [data.share(day, "dropoff_community_area") for day in ("2022-05-16", "2022-05-17", "2022-05-18")]
    assert [area > 0.8 for area in areas] == [True, True, False]
    command = week.run("run", "--once", "--set", 'validation.drift={"*": 1}')
    assert command.wait() == 1, command.text
    assert week.spans() | {span("2022-03-01"): ("refused", 0)} == {
        span("2019-03-05"): ("trained", 1),
        span("2019-03-12"): ("refused", 0),
        span("2019-03-26"): ("refused", 0),
        span("2022-03-01"): ("refused", 0),
        span("2022-05-16"): ("ingested", 0),
        span("2022-05-17"): ("trained", 2),
        span("2022-05-18"): ("refused", 0),
    }
    refused = (tmp_path / "output/logs/schedule").glob(f"*-span-{span('2022-05-18')}.log")
    assert any("dropoff_community_area: FEATURE_TYPE_LOW_FRACTION_PRESENT" in log.read_text() for log in refused)
    spans = {
        file.parent.name: json.loads(file.read_text())["spans"]
        for file in (tmp_path / "output/releases/taxi-daily").glob("*/release.json")
    }
    assert spans == {"1": [span("2019-03-05")], "2": [span("2022-05-16"), span("2022-05-17")]}
