"""Addresses that are called when something happens."""

from __future__ import annotations

import re
from typing import ClassVar

from configs.secret import SecretUrl

_PATH = re.compile(r"(?P<before>^https?://[^/?#\s]+)(?P<secret>[/?#].*)")
_HOST = re.compile(r"https?://[^/?#\s@:$]+(:[0-9]+)?([/?#$]|$)")


class Webhook(SecretUrl):
    """The URL of a webhook: whoever knows it may call it, so all behind the host is secret."""

    _rules: ClassVar[tuple[re.Pattern[str], ...]] = (_PATH,)

    @property
    def is_http(self) -> bool:
        """Whether it is a URL of a web server, without a user's name."""
        return _HOST.match(self) is not None

    @property
    def host(self) -> str:
        """What may be shown and logged."""
        return str(self).partition("://")[2].partition("/")[0].partition("$")[0]
