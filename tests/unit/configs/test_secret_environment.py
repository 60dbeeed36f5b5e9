from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from configs.load import load_settings
from configs.secret import SecretUrl
from configs.secret_environment import check_secrets, secret_environment
from schemas.errors import SettingsError


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
