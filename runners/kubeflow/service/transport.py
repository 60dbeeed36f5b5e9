"""HTTP to the API server: what kfp's generated client calls instead of its own pool of connections.

Its own one follows redirects, also to the page of a login, repeats requests in silence, and has no time-out. This one
repeats, a few times and with growing pauses, only what may be repeated: anything that was not sent or was refused with
429, and calls that do the same when they are made twice.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3

from runners.kubeflow.service.credential import Credential
from runners.kubeflow.service.refusal import RefusedError, is_page, refused, unreachable

_ONCE = ("/runs", "/recurringruns")  # a second POST makes a second one; another name may be taken only once
_PASSING = (500, 502, 503, 504)
_NOT_SENT = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
_REDIRECTS = range(300, 400)


@dataclass(frozen=True)
class Patience:
    """How long to try.

    Attributes:
        connect: seconds for a connection.
        answer: seconds for an answer.
        attempts: how often, all in all.
        pause: seconds before the second attempt; each further one is twice as long.
        longest: seconds of a pause at most, also where the server asks for more.
    """

    connect: float = 10.0
    answer: float = 60.0
    attempts: int = 5
    pause: float = 0.5
    longest: float = 30.0


class Transport:
    """The pool of connections.

    Args:
        credential: who we are.
        ca_file: PEM file with the authorities to trust; None takes certifi's.
        proxy: URL of a proxy; None goes straight.
        patience: how long to try; None is as Patience says.
        sleep: waits a number of seconds.
    """

    def __init__(
        self,
        credential: Credential,
        ca_file: Path | None = None,
        proxy: str | None = None,
        patience: Patience | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        import certifi

        self._credential, self._patience, self._sleep = credential, patience or Patience(), sleep
        options = {"cert_reqs": "CERT_REQUIRED", "ca_certs": str(ca_file) if ca_file else certifi.where()}
        self._pool = urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)

    def request(self, method: str, url: str, headers: Mapping[str, str] | None = None, **options: Any) -> Any:
        """As urllib3's; an answer is a 2xx in JSON, or there is none.

        Raises:
            RefusedError: anything else.
        """
        place = f"{method} {url.partition('?')[0]}"
        repeatable = method != "POST" or not urlsplit(url).path.endswith(_ONCE)
        options = {**options, "redirect": False, "retries": False, "enforce_content_length": True}
        options["timeout"] = urllib3.Timeout(connect=self._patience.connect, read=self._patience.answer)
        for attempt in range(1, self._patience.attempts + 1):
            wait = min(self._patience.pause * 2 ** (attempt - 1) * random.uniform(0.8, 1.2), self._patience.longest)
            try:
                answer = self._pool.request(
                    method, url, headers={**(headers or {}), **self._credential.headers()}, **options
                )
                error = self._error(answer, place)
                if error is None:
                    return _readable(answer)
                passing = error.status == 429 or (repeatable and error.status in _PASSING)
                wait = min(_asked(answer.headers) or wait, self._patience.longest)
            except urllib3.exceptions.SSLError as failure:
                fix = (
                    "Name the authority's certificate with --ca-file FILE, and check that the server speaks TLS there."
                )
                raise unreachable(place, failure, fix) from failure
            except urllib3.exceptions.HTTPError as failure:
                sent = not isinstance(failure, _NOT_SENT)
                error = unreachable(place, _reason(failure), _UNANSWERED if sent and not repeatable else _CHECK)
                error.__cause__ = failure
                passing = repeatable or not sent
            if not passing or attempt == self._patience.attempts:
                raise error
            self._sleep(wait)
        raise AssertionError  # the last attempt returns or raises

    def text(self, url: str) -> str:
        """Something that is no JSON, e.g. a log.

        Raises:
            RefusedError: there is no answer, or another than 200.
        """
        timeout = urllib3.Timeout(connect=self._patience.connect, read=self._patience.answer)
        try:
            answer = self._pool.request(
                "GET", url, headers=self._credential.headers(), redirect=False, retries=False, timeout=timeout
            )
        except urllib3.exceptions.HTTPError as failure:
            raise unreachable(f"GET {url}", _reason(failure), _CHECK) from failure
        if answer.status != 200 or is_page(answer.headers.get("Content-Type", ""), answer.data):
            raise refused(answer.status, answer.data, answer.headers.get("Content-Type", ""), f"GET {url}")
        return str(answer.data.decode(errors="replace"))

    def _error(self, answer: Any, place: str) -> RefusedError | None:
        kind = answer.headers.get("Content-Type", "")
        location = answer.headers.get("Location", "") if answer.status in _REDIRECTS else ""
        if 200 <= answer.status < 300 and not is_page(kind, answer.data):
            return None
        return refused(answer.status, answer.data, kind, place, location, self._credential.source)


_CHECK = "Check --host, and that the server runs: kubectl get pods -l app=ml-pipeline. HTTPS_PROXY and NO_PROXY count."
_UNANSWERED = (
    "Whether it was done is not known: look before you repeat it, with `kubeflow runs list` or `schedule list`."
)


def _readable(answer: Any) -> Any:
    # The generated client asks for headers in a way that urllib3 has given up.
    answer.getheaders = lambda: answer.headers
    answer.getheader = answer.headers.get
    return answer


def _asked(headers: Any) -> float | None:
    """Seconds that a Retry-After header asks for: it holds a number or a date."""
    text = headers.get("Retry-After", "")
    if text.isdigit():
        return float(text)
    try:
        return max(parsedate_to_datetime(text).timestamp() - time.time(), 0.0)
    except (TypeError, ValueError):
        return None


def _reason(failure: Exception) -> str:
    if isinstance(failure, urllib3.exceptions.ReadTimeoutError):
        return "no answer in time"
    if isinstance(failure, urllib3.exceptions.ConnectTimeoutError) and not isinstance(
        failure,
        urllib3.exceptions.NewConnectionError,  # a kind of it, in some releases
    ):
        return "no connection in time"
    if isinstance(failure, urllib3.exceptions.ProtocolError):
        return f"the connection was cut: {failure.args[-1] if failure.args else failure}"
    return str(failure).partition(": ")[2] or str(failure)
