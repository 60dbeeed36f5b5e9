from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from configs.load import load_settings
from configs.secret import SecretUrl, check_secrets, expand_around_secrets, mask_passwords, secret_environment
from schemas.errors import SettingsError


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("mysql://me:hunter2@host/db", "mysql://me:***@host/db"),
        ("postgresql+pg8000://me:hunter2@host:5432/db", "postgresql+pg8000://me:***@host:5432/db"),
        ("mysql://me:hun@ter/2?x#y@host/db", "mysql://me:***@host/db"),
        ("mysql://me:hunter 2@host/db", "mysql://me:***@host/db"),
        ("mysql://:hunter2@host/db", "mysql://:***@host/db"),
        ("https://host/a?user=me&password=hunter2&x=1", "https://host/a?user=me&password=***&x=1"),
        ("https://host/a?Access_Key=hunter2", "https://host/a?Access_Key=***"),
        ("https://host/a?sv=1&sig=hunter2", "https://host/a?sv=1&sig=***"),
        ("https://host/a?X-Amz-Signature=hunter2", "https://host/a?X-Amz-Signature=***"),
        ("mysql://me:hunter2@host/db?sslpassword=hunter2", "mysql://me:***@host/db?sslpassword=***"),
    ],
)
def test_a_written_out_password_is_kept_apart(url: str, masked: str) -> None:
    secret = SecretUrl(url)
    leaks = [str(secret), repr(secret), f"{secret}", json.dumps(secret), secret.masked, repr(pickle.dumps(secret))]
    assert not any("hunter2" in leak for leak in leaks)
    assert secret.masked == masked
    assert mask_passwords(f"url is {url}") == f"url is {masked}"
    assert secret.reveal({}) == url


@pytest.mark.parametrize(
    "url",
    ["sqlite:////abs/path@x.db", "mysql://me@host/db", "grpc://host:8080", "mysql://me:${DB_PW}@host/db", "s3://b/a"],
)
def test_a_url_without_a_written_out_password_stays_as_it_is(url: str) -> None:
    secret = SecretUrl(url)
    assert (str(secret), secret.masked, mask_passwords(url), secret.environment()) == (url, url, url, {})


def test_a_variable_is_read_when_the_url_is_revealed() -> None:
    secret = SecretUrl("mysql://me:${DB_PW}@host/db")
    assert secret.reveal({"DB_PW": "p$w"}) == "mysql://me:p$w@host/db"


def test_a_variable_that_is_not_set_is_an_error_when_the_url_is_revealed() -> None:
    with pytest.raises(SettingsError, match="DB_PW is not set") as caught:
        SecretUrl("mysql://me:${DB_PW}@host/db").reveal({})
    assert caught.value.fix == "Set it: export DB_PW=..."


def test_a_process_that_gets_the_text_reveals_it_with_the_environment() -> None:
    secret = SecretUrl("mysql://me:hunter2@host/db?token=hunter3")
    there = SecretUrl(json.loads(json.dumps(secret)))
    assert there == secret
    assert there.reveal(secret.environment()) == "mysql://me:hunter2@host/db?token=hunter3"
    assert pickle.loads(pickle.dumps(secret)).reveal(secret.environment()) == there.reveal(secret.environment())


def test_a_copy_in_memory_keeps_the_password() -> None:
    assert copy.deepcopy(SecretUrl("mysql://me:hunter2@host")).reveal({}) == "mysql://me:hunter2@host"


def test_the_name_of_the_variable_does_not_depend_on_the_password() -> None:
    assert SecretUrl("mysql://me:one@host") == SecretUrl("mysql://me:two@host") != SecretUrl("mysql://me:one@other")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), min_size=1))
def test_any_password_comes_back_and_never_shows(password: str) -> None:
    url = f"mysql://me:{password}@host/db"
    secret = SecretUrl(url)
    environment = {password[2:-1]: "x"} if password.startswith("${") else {}
    assert secret.masked in ("mysql://me:***@host/db", url)
    if secret.masked != url:
        assert secret.reveal(environment) == url


@pytest.mark.parametrize("part", ["a", "a://", "a://b:", "?password", "password", "a://b:@", "&_file="])
def test_the_time_that_a_long_text_takes_grows_with_it_and_not_with_its_square(part: str) -> None:
    """Three hundred thousand characters, which took many minutes: a test that hangs is what fails."""
    text = "?" + part * (300_000 // len(part))
    mask_passwords(text)
    expand_around_secrets(text, str)


def test_each_line_has_a_password_of_its_own() -> None:
    text = "a mysql://me:one@db and x@y\nb mysql://me:t:w/o@db\nmysql://db"
    assert mask_passwords(text) == "a mysql://me:***@y\nb mysql://me:***@db\nmysql://db"


def test_expanding_leaves_the_variables_of_passwords() -> None:
    assert expand_around_secrets("${A}://${B}:${C}@${D}?token=${E}", str.lower) == "${a}://${b}:${c}@${d}?token=${E}"
    assert expand_around_secrets("mysql://${B}:${C}@${D}", str.lower) == "mysql://${b}:${C}@${d}"
    assert expand_around_secrets("mysql://u:${C:-X}@h", str.lower) == "mysql://u:${c:-x}@h"


class Model(BaseModel):
    url: SecretUrl | None = None


def test_dumps_and_repr_of_a_model_do_not_show_secrets() -> None:
    model = Model(url="mysql://me:hunter2@host")  # type: ignore[arg-type]
    assert "hunter2" not in repr(model) + model.model_dump_json() + str(model.model_dump(mode="json"))
    assert isinstance(model.model_dump()["url"], SecretUrl)
    assert Model.model_validate(model.model_dump(mode="json")) == model


def test_the_json_schema_marks_secrets() -> None:
    properties = Model.model_json_schema()["properties"]
    assert properties["url"]["anyOf"][0] == {"type": "string", "x-environment": True, "x-secret": True}


def test_a_process_that_gets_the_dump_and_the_environment_can_connect(write: Callable[..., Path]) -> None:
    settings = load_settings([write("metadata: {url: 'mysql://me:hunter2@host/db'}")], (), {})
    dump = settings.dump()
    assert "hunter2" not in str(dump)
    url = SecretUrl(dump["metadata"]["url"])
    assert url.reveal(secret_environment(settings)) == "mysql://me:hunter2@host/db"


def test_settings_without_a_written_out_password_need_no_environment(write: Callable[..., Path]) -> None:
    settings = load_settings([write("metadata: {url: 'mysql://me:${DB_PW}@host/db'}")], (), {})
    assert secret_environment(settings) == {}


def test_a_missing_variable_is_found_at_the_start_of_a_run(write: Callable[..., Path]) -> None:
    settings = load_settings([write("metadata: {url: 'mysql://me:${DB_PW}@host/db'}")], (), {})
    check_secrets(settings, {"DB_PW": "x"})
    with pytest.raises(SettingsError, match="DB_PW"):
        check_secrets(settings, {})
