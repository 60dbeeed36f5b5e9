"""The live requests to a model while a canary of it is tried: which version gets each, and what became of them."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from serving.audit_log import CANARY, STABLE
from serving.canaries_seen import CanarySeen
from serving.seen_traffic import SeenTraffic
from serving.server.answer_size import is_small
from serving.server.deadline import Deadline
from serving.server.servable import Servable
from serving.traffic_split import TrafficSplit

_LOG = logging.getLogger(__name__)
_QUICK_VALUES = 1024


@dataclass(eq=False)
class CanaryTraffic:
    """Splits requests, and counts them by version; safe to use from any thread.

    Attributes:
        split: who gets how much.
        seen: what became of the requests, by version; read it by `snapshot`.
    """

    split: TrafficSplit
    seen: dict[int, SeenTraffic] = field(init=False)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._told = False
        self._start = secrets.token_hex(8)
        self.seen = {self.split.stable: SeenTraffic(), self.split.canary: SeenTraffic()}

    def holds(self, labels: Mapping[str, int], available: Sequence[int]) -> bool:
        """Whether it is of what is served now: not once a label has moved, or a version is gone."""
        wanted = self.split.stable, self.split.canary
        labelled = labels.get(STABLE), labels.get(CANARY)
        return wanted[0] != wanted[1] and labelled == wanted and all(one in available for one in wanted)

    def choose(self, label: str | None) -> int | None:
        """The version for a request; None: the label is not a part of this.

        By chance, request by request: whoever asks for the same again and again is no reason for another part.

        Args:
            label: that is asked for. None: neither a label nor a version is, which is as `stable`, since else the
                canary, being the newest version, would get all of them.
        """
        if label == CANARY:
            return self.split.canary
        if label not in (None, STABLE):
            return None
        return self.split.canary if random.random() * 100 < self.split.percent else self.split.stable

    def snapshot(self, *, predictions: bool = True) -> dict[int, SeenTraffic]:
        """What was seen so far, by version; with predictions, or without, which is far less."""
        with self._lock:
            return {version: one.copied(predictions=predictions) for version, one in self.seen.items()}

    def told(self) -> CanarySeen:
        """What whoever decides about the canary is told."""
        return CanarySeen(start=self._start, split=self.split, seen=self.snapshot())

    def failed(self, version: int) -> None:
        """A request to a version has failed."""
        with self._lock:
            self.seen[version].failed()

    def answered(self, version: int, seconds: float, outputs: Mapping[tuple[str, str], npt.NDArray[Any]]) -> None:
        """A request to a version was answered; what cannot be counted is told once, and is no error of the request.

        Args:
            version: its number.
            seconds: that it took.
            outputs: the answer, by signature and output.
        """
        one = SeenTraffic()
        try:
            one.answered(seconds, outputs)
        except Exception:
            if not self._told:
                _LOG.exception("What version %d predicts cannot be counted.", version)
            self._told = True
        with self._lock:  # not while the values are counted: all requests of the model meet here
            self.seen[version].merge(one)


class WatchedServable(Servable):
    """A loaded version, for one request of which is kept what it was answered."""

    def __init__(self, servable: Servable, traffic: CanaryTraffic) -> None:  # it loads nothing
        self.name, self.version, self.signatures = servable.name, servable.version, servable.signatures
        self.runs = servable.runs
        self._servable = servable
        self._traffic = traffic
        self._outputs: dict[tuple[str, str], npt.NDArray[Any]] = {}
        self._began = time.monotonic()
        self._deadline = Deadline(None)
        self._threads: Executor | None = None  # None: no event loop runs it

    def run(
        self,
        signature: str,
        feeds: Mapping[str, npt.NDArray[Any]],
        outputs: Sequence[str] | None = None,
        deadline: float | None = None,
        *,
        api: str = "Predict",
    ) -> dict[str, npt.NDArray[Any]]:
        """As `Servable.run`."""
        found = self._servable.run(signature, feeds, outputs, deadline, api=api)
        self._outputs |= {(signature, output): values for output, values in found.items()}
        return found

    async def answer(
        self,
        signature: str,
        feeds: Mapping[str, npt.NDArray[Any]],
        outputs: Sequence[str] | None = None,
        deadline: float | None = None,
        *,
        threads: Executor,
    ) -> dict[str, npt.NDArray[Any]]:
        """As `Servable.answer`."""
        self._deadline, self._threads = Deadline(deadline), threads
        found = await self._servable.answer(signature, feeds, outputs, deadline, threads=threads)
        self._outputs |= {(signature, output): values for output, values in found.items()}
        return found

    def ended(self, error: BaseException | None) -> None:
        """Counts the request; not one that its client has given up, which says nothing of the version."""
        if isinstance(error, asyncio.CancelledError) and not self._deadline.ended_call():
            return
        if error is not None:
            self._traffic.failed(self.version)
            return
        seconds = time.monotonic() - self._began
        if self._threads is None or is_small({key[1]: values for key, values in self._outputs.items()}, _QUICK_VALUES):
            self._traffic.answered(self.version, seconds, self._outputs)
        else:  # an event loop has others to answer meanwhile
            self._threads.submit(self._traffic.answered, self.version, seconds, self._outputs)
