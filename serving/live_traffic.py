"""Live traffic for a canary: what model servers counted of the requests of their clients, until a verdict."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import httpx
from pydantic import ValidationError

from schemas.errors import ReleaseError
from serving.canaries_seen import PATH, CanariesSeen, CanarySeen
from serving.canary import Limits, Traffic, Verdict
from serving.canary_watch import silent, watch_canary
from serving.client.client_tls import ClientTls
from serving.client.http_connections import http_connections
from serving.client.other_port import other_port
from serving.seen_traffic import SeenTraffic, compared
from serving.traffic_split import TrafficSplit

_CALL_SECONDS = 10.0
_SILENT_SECONDS = 60.0


class LiveTraffic:
    """Compares what servers saw of a model's canary.

    Args:
        urls: REST addresses of our model servers, `http://HOST:PORT`.
        model: its name.
        poll_seconds: how often they are asked.
        silent_seconds: how long a server may not answer, or not know of the canary, before that is an error.
        tls: for addresses with `https://`; default: what httpx trusts.
    """

    def __init__(
        self,
        urls: Iterable[str],
        model: str,
        poll_seconds: float = 1.0,
        silent_seconds: float = _SILENT_SECONDS,
        tls: ClientTls | None = None,
    ) -> None:
        self._servers = [_Server(url.rstrip("/"), model, silent_seconds, tls) for url in urls]
        self._poll_seconds = poll_seconds

    def __enter__(self) -> LiveTraffic:
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.http.close()

    def check(self) -> None:
        """Asks every server once.

        Raises:
            ReleaseError: one does not answer, or is not ours.
        """
        for server in self._servers:
            server.ask()

    def watch(
        self, split: TrafficSplit, limits: Limits, seconds: float, say: Callable[[str], None] = lambda text: None
    ) -> Verdict:
        """Waits until the canary is promoted or rolled back by the rules.

        Args:
            split: the canary.
            limits: the rules.
            seconds: how long until it stays at `keep watching`.
            say: told of the state now and then.

        Raises:
            ReleaseError: a server does not answer, or does not know of the canary any more, for a minute.
        """
        for server in self._servers:
            server.heard = time.monotonic()  # loading the version may have taken longer than they may be silent
        return watch_canary(lambda: self._look(split), limits, seconds, self._poll_seconds, say)

    def _look(self, split: TrafficSplit) -> tuple[Traffic, Traffic]:
        seen = {split.stable: SeenTraffic(), split.canary: SeenTraffic()}
        for server in self._servers:
            for version, one in server.seen(split).items():
                seen[version].merge(one)
        return compared(seen[split.stable], seen[split.canary])


class _Server:
    """One model server, whose counts begin at 0 when it starts anew."""

    def __init__(self, url: str, model: str, silent_seconds: float, tls: ClientTls | None) -> None:
        self._tls = tls
        self.http = http_connections(httpx.Client, url, tls, timeout=_CALL_SECONDS)
        self._url = url
        self._model = model
        self._silent_seconds = silent_seconds
        self.heard = time.monotonic()
        self._start = ""
        self._before: dict[int, SeenTraffic] = {}
        self._last: dict[int, SeenTraffic] = {}

    def seen(self, split: TrafficSplit) -> dict[int, SeenTraffic]:
        """What it has counted since the canary began, also before it was started anew."""
        try:
            found = self.ask().models.get(self._model)
        except ReleaseError as error:
            if time.monotonic() - self.heard > self._silent_seconds:
                raise silent(error) from error
            found = None
        else:
            if found is not None and found.split == split:
                self.heard = time.monotonic()
                self._take(found)
            elif time.monotonic() - self.heard > self._silent_seconds:
                raise ReleaseError(
                    "A model server does not try this canary.",
                    where=self._url,
                    received=f"{found.split if found else 'no canary'}, instead of version {split.canary}",
                    fix="Somebody else may have moved a label: scalable-tf release show VERSION tells who. Or it "
                    "does not poll this folder, or has not got the labels: name it with --server, too.",
                )
        versions = split.stable, split.canary
        return {version: _sum(self._before.get(version), self._last.get(version)) for version in versions}

    def ask(self) -> CanariesSeen:
        """What it tells.

        Raises:
            ReleaseError: it does not answer, or something else.
        """
        received: Any
        try:
            answer = self.http.get(f"{self._url}{PATH}")
            if answer.status_code == httpx.codes.OK:
                return CanariesSeen.model_validate_json(answer.content)
            received = f"HTTP {answer.status_code}"
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            received = error
        except ValidationError as error:
            received = f"another document: {error.errors()[0]['msg']}"
        raise ReleaseError(
            "A model server does not tell what it sees of canaries.",
            where=f"{self._url}{PATH}",
            received=received,
            fix=other_port(self._url, "REST", self._tls)
            or "Give the REST address of `scalable-tf serve`, http://HOST:PORT. TensorFlow Serving does not tell "
            "versions apart: use --requests there.",
        )

    def _take(self, found: CanarySeen) -> None:
        if found.start != self._start:
            self._before = {version: _sum(self._before.get(version), one) for version, one in self._last.items()}
        self._start, self._last = found.start, found.seen


def _sum(one: SeenTraffic | None, other: SeenTraffic | None) -> SeenTraffic:
    found = SeenTraffic()
    for part in (one, other):
        if part is not None:
            found.merge(part)
    return found
