"""Tells a run's outcome to an address, in bounded time, and never at the run's expense."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests

from configs.secret import SecretUrl, mask_passwords
from schemas.errors import SettingsError

_LOG = logging.getLogger(__name__)
_TRIES = 3
_TIMEOUT = (5.0, 10.0)  # seconds, to connect and to wait for an answer
_PAUSE = 2.0


def tell(
    url: SecretUrl,
    outcome: Mapping[str, Any],
    environment: Mapping[str, str],
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Posts an outcome as JSON; what fails is logged.

    Args:
        url: where to.
        outcome: JSON-ready.
        environment: where the address's secrets are.
        sleep: waits between two tries.

    Returns:
        Whether it was taken.
    """
    try:
        address = url.reveal(environment)
    except SettingsError as error:
        _LOG.error("The webhook was not told: %s", error)
        return False
    host = urlsplit(address).hostname
    body = {key: mask_passwords(value) if isinstance(value, str) else value for key, value in outcome.items()}
    for attempt in range(1, _TRIES + 1):
        try:
            # Its text is not read, which could take for ever.
            with requests.post(address, json=body, timeout=_TIMEOUT, allow_redirects=False, stream=True) as answer:
                if answer.ok and not answer.is_redirect:
                    return True
                said = f"it answered {answer.status_code}"
        except requests.RequestException as error:
            # Not its text: that holds the address, which may be a secret as a whole.
            said = type(error).__name__
        _LOG.warning("The webhook at %s was not told, try %d of %d: %s", host, attempt, _TRIES, said)
        if attempt < _TRIES:
            sleep(_PAUSE * attempt)
    return False
