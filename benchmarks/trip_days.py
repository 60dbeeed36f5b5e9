"""Made-up taxi trips, day after day, with the faults that a month of real deliveries has."""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

Fault = Literal["missing", "late", "duplicate", "schema", "labels", "corrupt"]

SETTINGS = """\
name: trips
output_dir: FOLDER/output
data: {path: "FOLDER/days/{YYYY}-{MM}-{DD}/v{VERSION}/*.csv.gz"}
schema: {path: FOLDER/schema.pbtxt}
window: {spans: 3, max_gaps: 2}
features:
  fare: {kind: numeric}
  miles: {kind: numeric, log: true}
  payment: {kind: categorical}
label: {kind: binary, expression: tips > 0.15 * fare}
model: {hidden_units: [8], cross_layers: 1}
training: {epochs: 6, batch_size: 32, backup_seconds: 0, tensorboard: false, optimizer: {learning_rate: 0.02}}
evaluation:
  thresholds: {auc: {lower: 0.7}}
  change_thresholds: {auc: {absolute: 0.1}}
schedule:
  cron: 30 6 * * *
  time_zone: Europe/Berlin
  catch_up: all
  lateness_seconds: 7200
  max_retries: 1
  backoff_seconds: 1
"""
SCHEMA = """\
feature { name: "fare" type: FLOAT presence { min_fraction: 0.9 } value_count { max: 1 } }
feature { name: "miles" type: FLOAT presence { min_fraction: 0.9 } value_count { max: 1 } }
feature { name: "payment" type: BYTES domain: "payment" presence { min_fraction: 0.9 } value_count { max: 1 } }
feature { name: "tips" type: FLOAT presence { min_fraction: 0.9 } value_count { max: 1 } }
string_domain { name: "payment" value: "Cash" value: "Credit Card" }
"""
EPOCH = date(1970, 1, 1)
HEADER = "fare,miles,payment,tips"
GENEROUS = "Credit Card"


def trips(seed: int | str, rows: int, generous: str = GENEROUS) -> Iterator[tuple[float, float, str, float]]:
    """Made-up trips: fare, miles, payment and tips.

    Args:
        seed: another one gives others.
        rows: how many.
        generous: the payment of those who tip.
    """
    numbers = random.Random(seed)
    for _ in range(rows):
        payment = numbers.choice(["Cash", "Credit Card"])
        fare = round(numbers.uniform(3, 40), 2)
        tips = round(fare * numbers.uniform(0.1, 0.4), 2) if payment == generous else 0.0
        yield fare, round(fare / 3 + numbers.random(), 1), payment, tips


@dataclass(frozen=True)
class Days:
    """A series of days below a folder.

    Attributes:
        folder: of settings.yaml, schema.pbtxt and days/.
        first: the first day.
        count: how many there are.
        faults: what is wrong with which, by its number from 0.
        rows: of each.
    """

    folder: Path
    first: date
    count: int
    faults: Mapping[int, Fault]
    rows: int = 400

    @property
    def settings(self) -> Path:
        """The settings file."""
        return self.folder / "settings.yaml"

    def prepare(self, settings: str = SETTINGS) -> None:
        """Writes what is there before the first day."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.settings.write_text(settings.replace("FOLDER", str(self.folder)))
        (self.folder / "schema.pbtxt").write_text(SCHEMA)

    def span(self, number: int) -> int:
        """The span of a day."""
        return (self.first - EPOCH).days + number

    def arrivals(self, number: int) -> Iterator[int]:
        """The days whose data come in the night after a day, in order: its own, and what is late two days."""
        if self.faults.get(number - 2) == "late":
            yield number - 2
        if self.faults.get(number) not in ("missing", "late"):
            yield number

    def deliver(self, number: int) -> None:
        """Writes the data of a day."""
        fault = self.faults.get(number)
        text = "\n".join(self._lines(number, fault)) + "\n"
        self._write(number, 1, text, corrupt=fault == "corrupt")
        if fault == "duplicate":
            self._write(number, 2, text, corrupt=False)

    def deliver_all(self, until: int | None = None) -> None:
        """Writes the data of all days that have come up to one."""
        for night in range(self.count if until is None else until + 1):
            for number in self.arrivals(night):
                self.deliver(number)

    def _lines(self, number: int, fault: Fault | None) -> Iterator[str]:
        yield HEADER
        for fare, miles, payment, tips in trips(number, self.rows, generous="Cash" if fault == "labels" else GENEROUS):
            shown = {"Cash": "1", "Credit Card": "2"}[payment] if fault == "schema" else payment
            yield f"{fare},{miles},{shown},{tips}"

    def _write(self, number: int, version: int, text: str, *, corrupt: bool) -> None:
        day = self.first + timedelta(days=number)
        folder = self.folder / "days" / day.isoformat() / f"v{version}"
        folder.mkdir(parents=True, exist_ok=True)
        content = gzip.compress(text.encode(), mtime=0)
        (folder / "trips.csv.gz").write_bytes(content[: len(content) // 2] if corrupt else content)
