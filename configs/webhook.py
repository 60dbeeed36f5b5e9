"""Addresses that are called when something happens."""

from __future__ import annotations

import re
from typing import ClassVar

from configs.secret import SecretUrl

_PATH = re.compile(r"(?P<before>^https?://[^/?#\s]+)(?P<secret>[/?#].*)")
_HOST = re.compile(r"https?://[^/?#\s@:]+(:[0-9]+)?([/?#$]|$)")


class Webhook(SecretUrl):
    """The URL of a webhook: whoever knows it may call it, so all behind the host is secret.

    Raises:
        ValueError: it is no URL of HTTP, or holds a user's name.
    """

    _rules: ClassVar[tuple[re.Pattern[str], ...]] = (_PATH,)

    def __new__(cls, text: str) -> Webhook:
        """Keeps the text without what is behind the host."""
        if not _HOST.match(text):
            raise ValueError("must be a URL of a webhook: https://HOST/PATH")
        return super().__new__(cls, text)

    @property
    def host(self) -> str:
        """What may be shown and logged."""
        return str(self).partition("://")[2].partition("/")[0].partition("$")[0]
