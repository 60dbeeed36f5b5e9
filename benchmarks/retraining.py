"""A month of days with planted faults, worked off by `scalable-tf schedule`: `python -m benchmarks.retraining`.

Writes docs/benchmarks/retraining.md: what became of each day, whether the released model ever got worse on its gate,
whether the last days took longer than the first, and, with --kills, whether a series that was killed at random moments
came to the same.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from benchmarks.trip_days import Days, Fault

REPORT = Path(__file__).parents[1] / "docs" / "benchmarks" / "retraining.md"
FIRST = date(2026, 3, 1)  # Europe changes its clocks on the 29th
FAULTS: dict[int, Fault] = {4: "missing", 8: "late", 11: "duplicate", 15: "schema", 19: "labels", 23: "corrupt"}
_TOLD = {
    "missing": "never came",
    "late": "came two days late",
    "duplicate": "came twice, as versions 1 and 2",
    "schema": "payment by numbers instead of words",
    "labels": "labels turned round",
    "corrupt": "gzip file cut off",
}


@dataclass
class Series:
    """The days in an output_dir.

    Attributes:
        seconds: processor time that the pass of each morning took; other work on the machine changes it little.
    """

    days: Days
    output: Path
    seconds: list[float]

    def command(self, night: int, action: str, *words: str) -> list[str]:
        """The command line, at 09:00 UTC of the morning after a day: what may be late is over by then."""
        morning = datetime(FIRST.year, FIRST.month, FIRST.day, 9, tzinfo=timezone.utc) + timedelta(days=night + 1)
        start = [sys.executable, "-m", "runners.cli", "schedule", action, "-c", str(self.days.settings)]
        return [*start, "--set", f"output_dir={self.output}", "--now", morning.isoformat(), *words]

    def night(self, night: int) -> None:
        """What a daily timer does."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(self.command(night, "run", "--once"), capture_output=True, text=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        print(f"night {night}: exit code {done.returncode}, {self.seconds[-1]:.1f} s of processor time", flush=True)
        if done.returncode not in (0, 1):
            raise SystemExit(done.stdout + done.stderr)

    def killed_night(self, night: int, numbers: random.Random) -> int:
        """The same, killed at random moments until it comes to its end; gives how often it was."""
        kills = 0
        while True:
            process = subprocess.Popen(
                self.command(night, "run", "--once"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            try:
                process.wait(numbers.uniform(5, 60))
            except subprocess.TimeoutExpired:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
                kills += 1
                continue
            return kills

    def status(self) -> list[dict[str, Any]]:
        """What became of each span."""
        command = self.command(self.days.count - 1, "status", "--json")
        found: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        return list(found["spans"])

    def outcome(self) -> dict[int, tuple[Any, ...]]:
        """The same, without what differs between two histories of the same."""
        return {one["span"]: (one["state"], one["release"], one["why"]) for one in self.status()}

    def releases(self) -> dict[int, dict[str, Any]]:
        """Spans and metrics of each release."""
        records = [json.loads(file.read_text()) for file in self.output.glob("releases/trips/*/release.json")]
        return {one["version"]: {"spans": one["spans"], "auc": one["metrics"]["Overall"]["auc"]} for one in records}


def main(argv: Sequence[str] | None = None) -> None:
    """Measures, and writes the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--kills", action="store_true", help="also a second series, killed at random moments")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="retraining-") as folder:
        days = Days(Path(folder), FIRST, arguments.days, FAULTS)
        days.prepare()
        calm = Series(days, Path(folder) / "calm", [])
        killed = Series(days, Path(folder) / "killed", [])
        numbers, kills = random.Random(arguments.seed), 0
        for night in range(days.count):
            for number in days.arrivals(night):
                days.deliver(number)
            calm.night(night)
            if arguments.kills:
                kills += killed.killed_night(night, numbers)
        same = (calm.outcome(), calm.releases()) == (killed.outcome(), killed.releases()) if arguments.kills else None
        REPORT.write_text(report(calm, kills, same))
    print(f"Written: {REPORT}")


def report(series: Series, kills: int, same: bool | None) -> str:
    """The report as Markdown."""
    days, releases = series.days, series.releases()
    lines = [
        "# A month of scheduled retraining",
        "",
        f"Made by `python -m benchmarks.retraining{' --kills' * (same is not None)}`: made-up taxi trips, a delivery "
        "each night with the faults below, a window of three spans, `schedule run --once` each morning. AUC is that of "
        "the release on the newest span of its window, for which 0.7 is the least.",
        "",
        "| day | what was wrong | state | release | AUC | why not |",
        "|---|---|---|---|---|---|",
    ]
    for one in series.status():
        number = one["span"] - days.span(0)
        auc = f"{releases[one['release']]['auc']:.3f}" if one["release"] else ""
        cells = (FIRST + timedelta(days=number), _TOLD.get(days.faults.get(number, ""), ""), one["state"])
        why_not = "" if one["release"] else one["why"]
        lines.append("| " + " | ".join(map(str, (*cells, one["release"] or "", auc, why_not))) + " |")
    tenth = max(days.count // 3, 1)
    ratio = statistics.median(series.seconds[-tenth:]) / statistics.median(series.seconds[:tenth])
    lowest = min(release["auc"] for release in releases.values())
    lines += [
        "",
        f"- The worst AUC with which a model was released: {lowest:.3f}.",
        f"- The median morning of the last third took {ratio:.2f} times the processor time of one of the first.",
    ]
    if same is not None:
        lines.append(
            f"- A second series was killed with SIGKILL {kills} times, at random moments. What became of the spans, "
            f"the releases and their metrics are {'the same' if same else 'NOT the same'}."
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
