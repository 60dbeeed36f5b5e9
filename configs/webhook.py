"""Addresses that are called when something happens."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from configs.secret import DEFERRED_KEY, SecretUrl

# With a variable in it, the rest is none of the secret.
_PATH = re.compile(r"(?P<before>^https?://[^/?#\s]+)(?P<secret>[/?#](?:(?!\$\{).)*$)")
_HOST = re.compile(r"https?://[^/?#\s@:$]+(:[0-9]+)?([/?#$]|$)")
_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")


class Webhook(SecretUrl):
    """The URL of a webhook: whoever knows it may call it, so all behind the host is secret.

    It may hold `${NAME}` anywhere, or be one; these are read when it is called.
    """

    _rules: ClassVar[tuple[re.Pattern[str], ...]] = (_PATH,)

    @property
    def is_http(self) -> bool:
        """Whether it is a URL of a web server, without a user's name, or a variable that may be."""
        return _HOST.match(self) is not None or _REFERENCE.fullmatch(self) is not None

    @property
    def host(self) -> str:
        """What may be shown and logged."""
        return re.split(r"[/?#$]", self.partition("://")[2])[0] or str(self)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """As of other secrets, and that variables are not looked at before."""
        return {**super().__get_pydantic_json_schema__(schema, handler), DEFERRED_KEY: True}


def _is_webhook(url: Webhook) -> Webhook:
    if not url.is_http:
        raise ValueError("must be the URL of a webhook, https://HOST/PATH, without a user's name")
    return url


WebhookUrl = Annotated[Webhook, AfterValidator(_is_webhook)]
"""A webhook in the settings, which is checked."""
