"""The URL of an ML Metadata store, taken apart: what is in `metadata.url`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from configs.secret import MASK, SecretUrl, mask_passwords
from schemas.errors import PlacedValueError
from schemas.nearest import nearest

_TLS_FILES = ("ssl_ca", "ssl_cert", "ssl_key")
PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "sqlite": (),
    "mysql": ("password_file", *_TLS_FILES, "ssl_capath", "ssl_cipher", "ssl_verify_server_cert"),
    "postgresql": ("password_file", "sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword"),
    "grpc": (),
    "grpcs": _TLS_FILES,
}
"""Parameters that may follow the `?`, by scheme."""
_CHOICES = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "ssl_verify_server_cert": ("true", "false"),
}
_PORTS = {"mysql": 3306, "postgresql": 5432}
_EXAMPLES = {
    "sqlite": "sqlite:////absolute/path.sqlite",
    "mysql": "mysql://user:${PASSWORD}@host:3306/database",
    "postgresql": "postgresql://user:${PASSWORD}@host:5432/database",
    "grpc": "grpc://host:8080",
    "grpcs": "grpcs://host:8080",
}
# The user ends at the first colon and the password, which may be written without percent-encoding, at the last @.
_WITH_PASSWORD = re.compile(r"(?P<user>[^/?#@:\s]*):(?P<password>.*)@(?P<rest>[^@]*)")
_WITHOUT = re.compile(r"(?:(?P<user>[^/?#@:\s]*)@)?(?P<rest>.*)")
_PLACE = re.compile(
    r"(?P<host>\[[^]/?#]*\]|[^:/?#]*)(?::(?P<port>[^/?#]*))?(?:/(?P<database>[^?#]*))?(?:\?(?P<query>[^#]*))?"
)


@dataclass(frozen=True)
class StoreUrl:
    """Where an ML Metadata store is.

    Attributes:
        scheme: a key of `PARAMETERS`.
        host: name or address, without the brackets of IPv6; empty for sqlite.
        port: of the server; 0 for sqlite.
        database: name of the database, or the path of an SQLite file.
        user: empty where there is none.
        password: the part of the `SecretUrl` that stands for the password, for `SecretUrl.reveal_part`; empty: none.
        parameters: what followed the `?`, percent-decoded but for `sslpassword`, which is as `password`.
    """

    scheme: str
    host: str = ""
    port: int = 0
    database: str = ""
    user: str = ""
    password: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """The URL without secrets and parameters."""
        if self.scheme == "sqlite":
            return f"sqlite:///{self.database}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        user, database = f"{self.user}@" if self.user else "", f"/{self.database}" if self.database else ""
        return f"{self.scheme}://{user}{host}:{self.port}{database}"


def parse_store_url(url: SecretUrl) -> StoreUrl:
    """Takes a URL apart.

    User, password, database and parameters may be percent-encoded. Of SQLite everything after `sqlite:///` is a path.

    Raises:
        PlacedValueError: it is no such URL; the message is a predicate about it.
    """
    scheme, found, rest = str(url).partition("://")
    if not found or scheme not in PARAMETERS:
        near = nearest(scheme, PARAMETERS) if found else None
        example = _EXAMPLES[near] if near else ", ".join(_EXAMPLES.values())
        raise PlacedValueError(
            f"must begin with one of {', '.join(f'{name}://' for name in PARAMETERS)}, for example {example}",
            (),
            known=[f"{name}://" for name in PARAMETERS],
            received=f"{scheme}://" if found else MASK,
        )
    if scheme == "sqlite":
        if not rest.startswith("/") or rest == "/":
            raise _wrong(scheme, "must name a file after sqlite:///")
        return StoreUrl(scheme, database=rest[1:])
    return _server(scheme, rest)


def _server(scheme: str, text: str) -> StoreUrl:
    account = _WITH_PASSWORD.fullmatch(text) or _WITHOUT.fullmatch(text)
    place = _PLACE.fullmatch(account["rest"]) if account else None
    if account is None or place is None:
        raise _wrong(scheme, "is not a URL")
    if not place["host"] or place["host"] == "[]":
        raise _wrong(scheme, "names no host")
    user, password = unquote(account["user"] or ""), account.groupdict().get("password") or ""
    parameters = _parameters(scheme, place["query"] or "")
    if scheme in _PORTS:
        if not place["database"]:
            raise _wrong(scheme, "names no database")
        if not user:
            raise _wrong(scheme, "names no user")
        if password and "password_file" in parameters:
            raise _wrong(scheme, "has both a password and a password_file")
    elif user or password or place["database"]:
        raise _wrong(scheme, "must be host and port only: ML Metadata's service knows neither users nor databases")
    if scheme == "grpcs" and ("ssl_cert" in parameters) != ("ssl_key" in parameters):
        # gRPC would end the process.
        raise PlacedValueError("must have ssl_cert and ssl_key, or neither", ())
    return StoreUrl(
        scheme,
        host=place["host"].strip("[]"),
        port=_port(scheme, place["port"]),
        database=unquote(place["database"] or ""),
        user=user,
        password=password,
        parameters=parameters,
    )


def _port(scheme: str, text: str | None) -> int:
    if not text and scheme in _PORTS:
        return _PORTS[scheme]
    if not text or not re.fullmatch("[0-9]{1,5}", text) or not 0 < int(text) < 65536:
        raise PlacedValueError(
            f"must have a port from 1 to 65535, for example {_EXAMPLES[scheme]}",
            (),
            received=mask_passwords(text or ""),
        )
    return int(text)


def _parameters(scheme: str, query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in query.split("&") if query else ():
        name, _, value = part.partition("=")
        if name not in PARAMETERS[scheme]:
            raise PlacedValueError(
                f"has a parameter that {scheme}:// does not know", (), known=PARAMETERS[scheme], received=name
            )
        value = value if name == "sslpassword" else unquote(value)
        if not value:
            raise PlacedValueError("has a parameter without a value", (), received=name)
        if name in _CHOICES and value not in _CHOICES[name]:
            raise PlacedValueError(
                f"has a parameter {name} that is not one of {', '.join(_CHOICES[name])}",
                (),
                known=_CHOICES[name],
                received=value,
            )
        found[name] = value
    return found


def _wrong(scheme: str, what: str) -> PlacedValueError:
    return PlacedValueError(f"{what}, for example {_EXAMPLES[scheme]}", ())
