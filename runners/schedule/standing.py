"""Where each span stands, and which of them a training may be made of."""

from __future__ import annotations

from typing import Literal

from configs.schedule import Schedule
from configs.window import Window
from runners.schedule.situation import Situation

Standing = Literal[
    "trained", "ingested", "fresh", "gone", "running", "interrupted", "failed", "refused", "given up", "conflict"
]

_USABLE = ("trained", "ingested", "fresh", "running", "interrupted", "failed")


class Standings:
    """All spans that are there, or that runs have known.

    Args:
        schedule: the section of the settings.
        window: the section of the settings.
        situation: data, runs and clock.

    Attributes:
        by_span: where each stands, oldest first.
        newest_trained: the newest span that a training is complete of; -1: none.
        newest_running: the newest span that a run, of somebody else's, is at; -1: none.
        targets: those of which a training is to be made, when it is time.
    """

    def __init__(self, schedule: Schedule, window: Window, situation: Situation) -> None:
        self._schedule, self._window, self._situation = schedule, window, situation
        spans = sorted({*situation.arrived, *situation.histories})
        self.by_span: dict[int, Standing] = {span: self._stand(span) for span in spans}
        self._first = min((span for span in spans if self._is_usable(span)), default=0)
        self.newest_trained = max((span for span in spans if self.by_span[span] == "trained"), default=-1)
        self.newest_running = max((span for span in spans if self.by_span[span] == "running"), default=-1)
        ready = self._ready()
        self._let_be(newer=max([self.newest_trained, *(() if schedule.catch_up == "all" else ready)]))
        ready = self._ready()
        self.targets = ready if schedule.catch_up == "all" else ready[-1:]
        newest = max(situation.arrived, default=0) + window.step
        self._needed = [window.numbers(span) for span in (*self.targets, newest)]

    def lacks(self, span: int) -> str:
        """What the window that ends with a span lacks, or nothing."""
        numbers = self._window.numbers(span)
        if numbers is None:
            usable = sum(self._is_usable(one) for one in self.by_span if one <= span)
            gaps = (span - self._first) // self._window.step + 1 - usable
        else:
            usable = sum(self._is_usable(one) for one in numbers)
            gaps = sum(one >= self._first for one in numbers) - usable
        if usable < self._window.minimum:
            return f"its window has {usable} of the {self._window.minimum} spans that it needs"
        if gaps > self._window.max_gaps:
            return f"its window has {gaps} gap{'s' * (gaps > 1)}, where {self._window.max_gaps} may be"
        return ""

    def is_needed(self, span: int) -> bool:
        """Whether a training that is to be made, or the next one after the newest span, reads a span."""
        return any(numbers is None or span in numbers for numbers in self._needed)

    def _stand(self, span: int) -> Standing:
        situation = self._situation
        history = situation.histories.get(span)
        if span in situation.arrived and situation.arrived[span].conflict:
            return "conflict"
        if history is not None and not history.changed:
            given_up = history.progress == "failed" and history.last.attempt > self._schedule.max_retries
            return "given up" if given_up else history.progress
        if history is not None and history.ingested:
            return "ingested"
        return "fresh" if span in situation.arrived else "gone"

    def _is_usable(self, span: int) -> bool:
        standing = self.by_span.get(span)
        # A training of it failed for good, but its data are fine.
        is_ingested = standing == "given up" and self._situation.histories[span].ingested
        return standing in _USABLE or is_ingested

    def _ready(self) -> list[int]:
        """Spans that no training is of yet, and that may be trained on."""
        return [
            span
            for span, standing in self.by_span.items()
            if standing in ("fresh", "ingested")
            and span in self._situation.arrived
            and span > self.newest_trained
            and (span > self.newest_running or self._schedule.catch_up == "all")
            and not self.lacks(span)
        ]

    def _let_be(self, newer: int) -> None:
        """A training that failed, or was killed, is not tried again where a newer one makes it needless."""
        for span, history in self._situation.histories.items():
            needless = {"failed": newer, "interrupted": self.newest_trained}.get(self.by_span[span], -1)
            if span < needless and not history.last.last:
                self.by_span[span] = "ingested" if history.ingested else "fresh"
