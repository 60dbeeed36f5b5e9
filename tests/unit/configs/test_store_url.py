from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.load import load_settings
from configs.secret import SecretUrl
from configs.store_url import PARAMETERS, StoreUrl, parse_store_url
from schemas.errors import PlacedValueError, SettingsError


def _parsed(text: str) -> StoreUrl:
    return parse_store_url(SecretUrl(text))


def test_a_url_with_everything() -> None:
    assert _parsed("mysql://m%40e:${PW}@db.example:3307/m%20l?ssl_ca=/etc/ca%26.pem&ssl_verify_server_cert=true") == (
        StoreUrl(
            scheme="mysql",
            host="db.example",
            port=3307,
            database="m l",
            user="m@e",
            password="${PW}",
            parameters={"ssl_ca": "/etc/ca&.pem", "ssl_verify_server_cert": "true"},
        )
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:////a/b c%20.sqlite", StoreUrl("sqlite", database="/a/b c%20.sqlite")),
        ("sqlite:///a.sqlite", StoreUrl("sqlite", database="a.sqlite")),
        ("mysql://me@host/db", StoreUrl("mysql", "host", 3306, "db", "me")),
        ("postgresql://me@[::1]/db", StoreUrl("postgresql", "::1", 5432, "db", "me")),
        ("grpc://host:8080", StoreUrl("grpc", "host", 8080)),
        ("grpcs://host:443?ssl_ca=ca.pem", StoreUrl("grpcs", "host", 443, parameters={"ssl_ca": "ca.pem"})),
        (
            "postgresql://me@host:1/db?password_file=/run/a@b:c",
            StoreUrl("postgresql", "host", 1, "db", "me", parameters={"password_file": "/run/a@b:c"}),
        ),
    ],
)
def test_other_urls(url: str, expected: StoreUrl) -> None:
    assert _parsed(url) == expected


def test_its_text_has_neither_secrets_nor_parameters() -> None:
    assert str(_parsed("postgresql://me:hunter2@[::1]/db?sslmode=prefer")) == "postgresql://me@[::1]:5432/db"


@pytest.mark.parametrize(
    ("written", "password"), [("hunter2", "hunter2"), ("a%40b%2Fc", "a@b/c"), ("a@b/c?d#e", "a@b/c?d#e")]
)
def test_a_password_that_is_written_out_may_be_percent_encoded(written: str, password: str) -> None:
    url = SecretUrl(f"mysql://me:{written}@host/db")
    parsed = parse_store_url(url)
    assert (parsed.user, parsed.host, parsed.database) == ("me", "host", "db")
    assert url.reveal_part(parsed.password, {}) == password


def test_a_password_from_a_variable_is_taken_as_it_is() -> None:
    url = SecretUrl("mysql://me:${PW}@host/db")
    assert url.reveal_part(parse_store_url(url).password, {"PW": "s%c%41/r@t"}) == "s%c%41/r@t"


def test_a_process_that_gets_the_text_finds_the_same_password() -> None:
    url = SecretUrl("postgresql://me:a%40b@host/db?sslpassword=c%40d")
    there = SecretUrl(str(url))
    parsed = parse_store_url(there)
    assert there.reveal_part(parsed.password, url.environment()) == "a@b"
    assert there.reveal_part(parsed.parameters["sslpassword"], url.environment()) == "c@d"


def test_the_name_of_a_password_file_is_no_secret() -> None:
    url = SecretUrl("mysql://me@host/db?password_file=/run/secrets/db")
    assert url.masked == "mysql://me@host/db?password_file=/run/secrets/db"


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("host/db", "must begin with one of sqlite://, mysql://"),
        ("mysq://me@host/db", "must begin with one of"),
        ("sqlite://a.sqlite", "must name a file"),
        ("sqlite:///", "must name a file"),
        ("mysql://me@host", "names no database"),
        ("mysql://me@host/", "names no database"),
        ("mysql://host/db", "names no user"),
        ("mysql://me@/db", "names no host"),
        ("mysql://me@host:x/db", "must have a port from 1 to 65535"),
        ("mysql://me@host:70000/db", "must have a port from 1 to 65535"),
        ("grpc://host", "must have a port from 1 to 65535"),
        ("grpc://host:1/db", "must be host and port only"),
        ("grpc://me:pw@host:1", "must be host and port only"),
        ("grpcs://host:1?ssl_key=a", "must have ssl_cert and ssl_key, or neither"),
        ("grpcs://host:1?ssl_cert=a&ssl_ca=b", "must have ssl_cert and ssl_key, or neither"),
        ("mysql://me@host/db#a", "is not a URL"),
        ("mysql://me@host/db?sslca=a", "has a parameter that mysql:// does not know"),
        ("mysql://me@host/db?ssl_ca=", "has a parameter without a value"),
        ("postgresql://me@host/db?sslmode=required", "has a parameter sslmode that is not one of disable"),
        ("mysql://me:pw@host/db?password_file=a", "has both a password and a password_file"),
    ],
)
def test_what_is_no_store(url: str, what: str) -> None:
    with pytest.raises(PlacedValueError) as caught:
        _parsed(url)
    assert str(caught.value).startswith(what)


@given(st.text(max_size=40))
def test_any_text_is_a_store_or_an_error_of_ours(text: str) -> None:
    for scheme in PARAMETERS:
        with contextlib.suppress(PlacedValueError):
            assert _parsed(f"{scheme}://{text}").scheme == scheme


def test_a_wrong_url_is_an_error_at_its_line(write: Callable[..., Path]) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings([write("metadata:\n  url: mysql://me:hunter2@host/db?ssl_cert=a&ssl_kay=b")], (), {})
    assert caught.value.what == "metadata.url has a parameter that mysql:// does not know."
    assert ", line " in caught.value.where
    assert caught.value.where.endswith("(metadata.url)")
    assert (caught.value.received, caught.value.fix) == ("ssl_kay", "Did you mean 'ssl_key'?")


def test_a_scheme_that_is_nearly_right(write: Callable[..., Path]) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings([write("metadata: {url: 'postgres://me:hunter2@host/db'}")], (), {})
    assert (caught.value.received, caught.value.fix) == ("postgres://", "Did you mean 'postgresql://'?")
    assert "hunter2" not in str(caught.value)
