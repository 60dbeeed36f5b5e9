"""Traffic for a canary that has model servers of its own: what Prometheus would read of both groups, until a verdict.

TensorFlow Serving's metrics do not tell versions apart, so whatever is in front splits: stable's part goes to one
group of them, the canary's to the other. Names of the metrics: tensorflow_serving/servables/tensorflow/util.cc.
"""

from __future__ import annotations

import bisect
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import httpx
from prometheus_client.parser import text_string_to_metric_families

from schemas.errors import ReleaseError
from serving.canary import LATENCY_BOUNDS, Limits, Traffic, Verdict
from serving.canary_watch import silent, watch_canary
from serving.client.client_tls import ClientTls
from serving.client.http_connections import http_connections
from serving.client.other_port import other_port

PATH = "/monitoring/prometheus/metrics"
_COUNT = ":tensorflow:serving:request_count"
_LATENCY = ":tensorflow:serving:request_latency"
# What prometheus_client raises where a page has none of its lines.
NO_PAGE = (ValueError, IndexError, KeyError)
_CALL_SECONDS = 10.0
_SILENT_SECONDS = 60.0
_OK = "OK"


@dataclass
class _Counts:
    """Counters of one server since its start: requests by status, answers by upper bound in microseconds."""

    statuses: Counter[str] = field(default_factory=Counter)
    buckets: Counter[float] = field(default_factory=Counter)

    def add(self, other: _Counts) -> None:
        self.statuses.update(other.statuses)
        self.buckets.update(other.buckets)

    def continues(self, other: _Counts) -> bool:
        """Whether no counter is lower than it was: else the server was started anew."""
        return self.statuses >= other.statuses and self.buckets >= other.buckets

    def subtract(self, other: _Counts) -> None:
        self.statuses.subtract(other.statuses)
        self.buckets.subtract(other.buckets)


class ScrapedTraffic:
    """Compares two groups of model servers.

    Args:
        stable: REST addresses of those that have stable's requests, `http://HOST:PORT`.
        canary: of those that have the canary's.
        model: its name.
        poll_seconds: how often they are asked.
        silent_seconds: how long a server may not answer before that is an error.
        tls: for addresses with `https://`; default: what httpx trusts.
    """

    def __init__(
        self,
        stable: Iterable[str],
        canary: Iterable[str],
        model: str,
        poll_seconds: float = 1.0,
        silent_seconds: float = _SILENT_SECONDS,
        tls: ClientTls | None = None,
    ) -> None:
        self._groups = [[_Server(url, model, silent_seconds, tls) for url in urls] for urls in (stable, canary)]
        self._poll_seconds = poll_seconds

    def __enter__(self) -> ScrapedTraffic:
        return self

    def __exit__(self, *_: object) -> None:
        for group in self._groups:
            for server in group:
                server.http.close()

    def start(self) -> None:
        """What there is from now on counts.

        Raises:
            ReleaseError: a server does not answer, or has no metrics.
        """
        for group in self._groups:
            for server in group:
                server.start()

    def watch(self, limits: Limits, seconds: float, say: Callable[[str], None] = lambda text: None) -> Verdict:
        """Waits until the canary is promoted or rolled back by the rules of errors and latency.

        Args:
            limits: the rules.
            seconds: how long until it stays at `keep watching`.
            say: told of the state now and then.

        Raises:
            ReleaseError: a server does not answer for a minute.
        """
        return watch_canary(self._look, limits, seconds, self._poll_seconds, say)

    def _look(self) -> tuple[Traffic, Traffic]:
        stable, canary = (_traffic([server.seen() for server in group]) for group in self._groups)
        return stable, canary


class _Server:
    def __init__(self, url: str, model: str, silent_seconds: float, tls: ClientTls | None) -> None:
        self._tls = tls
        self.http = http_connections(httpx.Client, url, tls, timeout=_CALL_SECONDS)
        self._url, self._model = url.rstrip("/"), model
        self._silent_seconds = silent_seconds
        self._total = _Counts()

    def start(self) -> None:
        self._last = self._ask()
        self._heard = time.monotonic()

    def seen(self) -> _Counts:
        """What it has counted since the start, also where it was started anew meanwhile."""
        try:
            found = self._ask()
        except ReleaseError as error:
            if time.monotonic() - self._heard > self._silent_seconds:
                raise silent(error) from error
            return self._total
        self._heard = time.monotonic()
        self._total.add(found)
        if found.continues(self._last):
            self._total.subtract(self._last)
        self._last = found
        return self._total

    def _ask(self) -> _Counts:
        received: object
        try:
            answer = self.http.get(f"{self._url}{PATH}")
            if answer.status_code == httpx.codes.OK:
                return _counts(answer.text, self._model)
            received = f"HTTP {answer.status_code}"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            received = error
        except NO_PAGE as error:
            received = f"no page of metrics: {error}"
        raise ReleaseError(
            "A model server does not tell its metrics.",
            where=f"{self._url}{PATH}",
            received=received,
            fix=other_port(self._url, "REST", self._tls)
            or "Give the REST address, http://HOST:PORT. TensorFlow Serving needs --monitoring_config_file with "
            f'prometheus_config {{ enable: true path: "{PATH}" }}.',
        )


def _counts(page: str, model: str) -> _Counts:
    """The counters of one model, over all methods and protocols."""
    found = _Counts()
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.labels.get("model_name") != model:
                continue
            if sample.name in (_COUNT, f"{_COUNT}_total"):
                status = sample.labels.get("status", "")
                found.statuses[status] += round(sample.value)
            elif sample.name == f"{_LATENCY}_bucket":
                found.buckets[float(sample.labels["le"])] += round(sample.value)
    return found


def _traffic(servers: Sequence[_Counts]) -> Traffic:
    total = _Counts()
    for one in servers:
        total.add(one)
    requests = total.statuses.total()
    return Traffic(requests, requests - total.statuses[_OK], fine_latencies(total.buckets))


def fine_latencies(buckets: Mapping[float, int]) -> tuple[int, ...]:
    """Counts by LATENCY_BOUNDS of a cumulative histogram with wider buckets, within which all times are as likely.

    Args:
        buckets: how many took at most so many microseconds; one bound is infinite.
    """
    below = {0.0: 0, **{bound / 1e6: count for bound, count in sorted(buckets.items()) if math.isfinite(bound)}}
    bounds, counts = list(below), list(below.values())
    everything = max(buckets.values(), default=0)
    cumulative = [_at(bound, bounds, counts) for bound in LATENCY_BOUNDS] + [everything]
    rounded = [round(count) for count in cumulative]
    return tuple(now - before for before, now in zip([0, *rounded[:-1]], rounded, strict=True))


def _at(bound: float, bounds: Sequence[float], counts: Sequence[int]) -> float:
    after = bisect.bisect_left(bounds, bound)
    if after == len(bounds):
        return counts[-1]
    part = (bound - bounds[after - 1]) / (bounds[after] - bounds[after - 1])
    return counts[after - 1] + part * (counts[after] - counts[after - 1])
