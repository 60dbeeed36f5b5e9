"""Tells a run's outcome to an address, in bounded time, and never at the run's expense."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from configs.secret import mask_passwords

_LOG = logging.getLogger(__name__)
_PAUSE = 1.0


def tell(address: str, outcome: Mapping[str, Any], seconds: float = 30.0, tries: int = 3) -> bool:
    """Posts an outcome as JSON; what fails is logged, without the address, which may be secret as a whole.

    Args:
        address: where to.
        outcome: JSON-ready.
        seconds: how long all tries together may take.
        tries: how often.

    Returns:
        Whether it was taken. What was sent and not answered is not sent again.
    """
    body = {key: mask_passwords(value) if isinstance(value, str) else value for key, value in outcome.items()}
    taken = threading.Event()
    deadline = time.monotonic() + seconds
    # A server that sends its answer byte by byte would hold a request for ever.
    thread = threading.Thread(target=_post, args=(address, body, deadline, taken, tries), daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        _LOG.warning("The webhook at %s has not answered within %g s.", _host(address), seconds)
    return taken.is_set()


def _post(address: str, body: Mapping[str, Any], deadline: float, taken: threading.Event, tries: int) -> None:
    for attempt in range(1, tries + 1):
        left = deadline - time.monotonic()
        if left <= 0:
            return
        try:
            with requests.post(address, json=body, timeout=left, allow_redirects=False, stream=True) as answer:
                status = answer.status_code
            if status < 300:
                taken.set()
                return
            said = f"it answered {status}"
        except (requests.RequestException, ValueError) as error:  # their texts hold the address
            if _was_sent(error):  # it may have been taken, and nobody is told twice
                _LOG.warning(
                    "The webhook at %s was told, and did not answer: %s.", _host(address), type(error).__name__
                )
                return
            said = type(error).__name__
        _LOG.warning("The webhook at %s was not told, try %d of %d: %s.", _host(address), attempt, tries, said)
        if attempt < tries:
            time.sleep(min(_PAUSE * attempt, max(0.0, deadline - time.monotonic())))


def _was_sent(error: Exception) -> bool:
    """Whether a request may have gone out before it failed."""
    if not isinstance(error, requests.ConnectionError) or isinstance(error, requests.exceptions.SSLError):
        return isinstance(error, requests.Timeout)
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return not isinstance(reason, (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError))


def _host(address: str) -> str:
    try:
        return urlsplit(address).netloc.rpartition("@")[2] or "an address without a host"
    except ValueError:
        return "an address that is none"
