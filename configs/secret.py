"""Settings that must not be shown: their text never holds the secret, only the name of a variable that does.

    metadata.url as written                 as text, in dumps and logs            as shown to users
    mysql://ml:${DB_PASSWORD}@db/ml         mysql://ml:${DB_PASSWORD}@db/ml       mysql://ml:${DB_PASSWORD}@db/ml
    mysql://ml:hunter2@db/ml                mysql://ml:${SCALABLE_TF_SECRET_...}@db/ml    mysql://ml:***@db/ml

It is a string, so that whatever formats, logs, dumps or pickles it as text cannot leak. `reveal` gives the true
text, at the last moment, in the process that connects. See docs/decisions/0004-secrets.md.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, ClassVar, TypeVar
from urllib.parse import unquote

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from schemas.errors import SettingsError

SECRET_KEY = "x-secret"
"""In the JSON Schema: true where a URL may hold a password."""
ENVIRONMENT_KEY = "x-environment"
"""In the JSON Schema: true where `${NAME}` is allowed."""
DEFERRED_KEY = "x-deferred"
"""In the JSON Schema: true where every `${NAME}` is read only when the URL is used."""
MASK = "***"

_HIDDEN = "SCALABLE_TF_SECRET_"
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_REFERENCE = re.compile(r"\$\{(" + _NAME + r")\}")
# The first user of a line, up to the line's last @: a password that is not percent-encoded may hold any character.
# Logs and values of any length go through these. What stands in a lookahead is not tried again, so that their time is
# that of the text, and not of its square.
_PASSWORD = re.compile(
    r"^(?=(?P<before>.*?[\w+.-]://[^/?#@:\s]*:))(?P=before)(?P<secret>.*)(?=@)",
    re.MULTILINE,
)
_PARAMETER = re.compile(
    r"(?P<before>[?&;](?=[\w.-]*(?<!_file)=[^&;#\s])"
    r"(?:[\w.-]*(?:password|passwd|pwd|secret|token|credential|signature|api_?key|access_?key)[\w.-]*|sig)=)"
    r"(?P<secret>[^&;#\s]+)",
    re.IGNORECASE,
)
_PORT = re.compile(r"[A-Za-z][\w+.-]*://[^/?#@:\s]*:[0-9]*(?:[/?#]|$)")

_Url = TypeVar("_Url", bound="SecretUrl")


class SecretUrl(str):
    """A URL whose password, in front of the host or as a parameter, is secret; the rest is plain.

    A password written out is kept apart, under the name of a variable that stands for it in the text.

    Args:
        text: the URL.
    """

    _hidden: dict[str, str]
    _rules: ClassVar[tuple[re.Pattern[str], ...]] = (_PASSWORD, _PARAMETER)
    """What is secret: the groups `secret` of these, in this order."""

    def __new__(cls: type[_Url], text: str) -> _Url:
        """Keeps the text without the passwords that are written out."""
        hidden: dict[str, str] = {}
        stem = hashlib.sha256(_masked(text, cls._rules).encode()).hexdigest()[:12]

        def hide(match: re.Match[str]) -> str:
            if _REFERENCE.fullmatch(match["secret"]):
                return match.group()
            name = f"{_HIDDEN}{stem}_{len(hidden)}"
            hidden[name] = match["secret"]
            return f"{match['before']}${{{name}}}"

        shown = text
        for rule in cls._rules:
            shown = rule.sub(hide, shown)
        url = super().__new__(cls, shown)
        url._hidden = hidden
        return url

    def __deepcopy__(self: _Url, memo: dict[int, Any]) -> _Url:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # Without the hidden part: what is pickled is text, and text does not hold secrets.
        return type(self), (str(self),)

    @property
    def masked(self) -> str:
        """The URL as it may be shown: passwords that were written out are ***, variables keep their names."""
        text = str(self)
        for name in self._hidden:
            text = text.replace(f"${{{name}}}", MASK)
        return text

    def reveal(self, environment: Mapping[str, str]) -> str:
        """The URL with its passwords.

        Raises:
            SettingsError: a variable is not set.
        """
        return _expanded(self, environment, self._hidden)

    def reveal_part(self, part: str, environment: Mapping[str, str]) -> str:
        """The secret for which a part of this URL stands.

        What was written out in the URL is percent-decoded, as all of a URL; what a variable holds is taken as it is.

        Raises:
            SettingsError: a variable is not set.
        """
        secret = _expanded(part, environment, self._hidden)
        return unquote(secret) if part.startswith(f"${{{_HIDDEN}") else secret

    def environment(self) -> dict[str, str]:
        """Variables that a process which gets this URL as text needs in its environment to `reveal` it."""
        return dict(self._hidden)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validated from text; serialised as text without the secrets."""
        return core_schema.union_schema(
            [
                core_schema.is_instance_schema(cls),
                core_schema.no_info_after_validator_function(cls, core_schema.str_schema()),
            ],
            serialization=core_schema.to_string_ser_schema(when_used="json"),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Text, marked as secret and as allowed to hold `${NAME}`."""
        return {"type": "string", ENVIRONMENT_KEY: True, SECRET_KEY: True}


def expand_around_secrets(text: str, expand: Callable[[str], str]) -> str:
    """A URL as written, with `expand` done to all of it but the passwords that are a `${NAME}`."""
    kept = sorted(
        found.span("secret")
        for rule in (_PASSWORD, _PARAMETER)
        for found in rule.finditer(text)
        if _REFERENCE.fullmatch(found["secret"])
    )
    parts, end = [], 0
    for start, stop in kept:
        parts += [expand(text[end:start]), text[start:stop]]
        end = stop
    return "".join([*parts, expand(text[end:])])


def holds_password(text: str) -> bool:
    """True if a text is a URL with a password in front of the host (`s3://key:secret@bucket`) or as a parameter."""
    if "://" not in text:
        return False
    # hdfs://host:8020/a@b.csv has a port, and an @ in a file's name.
    return bool(_PARAMETER.search(text) or (_PASSWORD.search(text) and not _PORT.match(text)))


def mask_passwords(text: str) -> str:
    """Any text with the passwords of the URLs in it replaced by ***; those given as `${NAME}` stay."""
    return _masked(text, (_PASSWORD, _PARAMETER))


def secret_environment(settings: BaseModel) -> dict[str, str]:
    """Variables that a process which gets `settings.dump()` needs beside the parent's own environment.

    They hold the passwords that were written out in the settings; those given as `${NAME}` are in the environment
    already. Empty for most settings. They belong into a child's environment or a Kubernetes Secret, never into a file
    or a log.
    """
    found: dict[str, str] = {}
    for secret in _secrets(settings.model_dump(mode="python")):
        found.update(secret.environment())
    return found


def check_secrets(settings: BaseModel, environment: Mapping[str, str], leave_out: Collection[str] = ()) -> None:
    """Checks, at the start of a run, that each secret can be read where it will be needed.

    Loading does not check it: settings are also shown, compiled and tested on machines that must not know the secrets.

    Args:
        settings: whose secrets.
        environment: of the process.
        leave_out: sections of the settings that will not be needed.

    Raises:
        SettingsError: a secret's variable is not set.
    """
    for secret in _secrets(settings.model_dump(mode="python", exclude=set(leave_out))):
        secret.reveal(environment)


def _masked(text: str, rules: Iterable[re.Pattern[str]]) -> str:
    def masked(match: re.Match[str]) -> str:
        return match.group() if _REFERENCE.fullmatch(match["secret"]) else match["before"] + MASK

    for rule in rules:
        text = rule.sub(masked, text)
    return text


def _expanded(text: str, environment: Mapping[str, str], hidden: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name in hidden:
            return hidden[name]
        if name not in environment:
            raise SettingsError(
                f"The environment variable {name} is not set, and the settings need it for a secret.",
                where=mask_passwords(str(text)),
                fix=f"Set it: export {name}=...",
            )
        return environment[name]

    return _REFERENCE.sub(value, str(text))


def _secrets(value: Any) -> Iterator[SecretUrl]:
    if isinstance(value, SecretUrl):
        yield value
    elif isinstance(value, dict):
        for child in value.values():
            yield from _secrets(child)
    elif isinstance(value, (list, tuple)):
        for child in value:
            yield from _secrets(child)
