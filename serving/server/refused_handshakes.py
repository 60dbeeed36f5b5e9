"""TLS that did not come about with a client: who it was, and why."""

from __future__ import annotations

import logging
import re
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable

_LOG = logging.getLogger(__name__)
_SECONDS = 10.0
_ALERT = re.compile(r"(?:SSLV3|TLSV1|TLSV13)_ALERT_(\w+)")
_REASONS = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "it shows no certificate",
    "HTTP_REQUEST": "it speaks HTTP without TLS",
    "WRONG_VERSION_NUMBER": "it speaks no TLS",
}


class RefusedHandshake(ssl.SSLError):
    """One that failed.

    Args:
        error: of the library.

    Attributes:
        alert: what the client is to be sent.
    """

    def __init__(self, error: ssl.SSLError, alert: bytes) -> None:
        super().__init__(*error.args)
        self.why, self.alert = error, alert


class RefusedHandshakes:
    """Counts them all, and tells one of each kind in ten seconds: anybody who reaches the port can have them fail.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._told: dict[str, tuple[float, int]] = {}  # by text: when, and how many since

    def tell(self, client: str, error: ssl.SSLError) -> None:
        """One of a client.

        Args:
            client: its address.
            error: of the library.
        """
        text, now = _text(error), self._clock()
        with self._lock:
            self._counts[error.reason or ""] += 1
            last, others = self._told.get(text, (-_SECONDS, 0))
            if now - last < _SECONDS:
                self._told[text] = last, others + 1
                return
            self._told[text] = now, 0
        more = f" ({others} more like it since it was last told)" if others else ""
        _LOG.warning("REST: TLS with %s failed: %s.%s", client, text, more)

    def counts(self) -> dict[str, int]:
        """By the library's name for the reason."""
        with self._lock:
            return dict(self._counts)


def _text(error: ssl.SSLError) -> str:
    reason = error.reason or ""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not taken, {error.verify_message}"
    if alert := _ALERT.fullmatch(reason):
        return f"it does not go on with this server's certificate or TLS, alert {_words(alert[1])}"
    return _REASONS.get(reason) or _words(reason) or "without a reason"


def _words(name: str) -> str:
    return name.lower().replace("_", " ")
