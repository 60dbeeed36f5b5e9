"""Who gets into a store: passwords and where they come from, and a database that is not there."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from absl import logging as absl_logging

from runners.store_lock import store_lock
from schemas.errors import SettingsError
from tests.integration.metadata_servers.opened_store import open_store, refusal, settings_of
from tests.integration.servers.database_server import PASSWORD, PASSWORD_VARIABLE, Server

pytestmark = pytest.mark.slow


def test_a_wrong_password_is_an_error_at_once(server: Server, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = server.create(database)
    monkeypatch.setenv(PASSWORD_VARIABLE, "hunter2")
    error = refusal(url)
    assert error.what == "The metadata store refuses the user or the password."
    assert f"the variable {PASSWORD_VARIABLE}" in error.fix
    assert "hunter2" not in str(error)


def test_a_database_that_is_missing_is_an_error_at_once_and_is_not_made(server: Server, database: str) -> None:
    url = server.create(database).replace(f"/{database}", "/nowhere")
    assert refusal(url).what == "The database of the metadata store does not exist."
    assert "nowhere" in refusal(url).fix


def test_a_password_from_a_file(server: Server, database: str, tmp_path: Path) -> None:
    file = tmp_path / "password"
    url = server.create(database).replace(f":${{{PASSWORD_VARIABLE}}}", "") + f"?password_file={file}"
    with pytest.raises(SettingsError, match="password file of a database cannot be read") as caught:
        open_store(url)
    assert caught.value.received == f"{file}: No such file or directory"
    file.write_text("hunter2\n")
    assert f"the file {file}" in refusal(url).fix
    file.write_text(PASSWORD + "\n")
    with open_store(url) as handle:
        assert handle.store.get_artifact_types() == []


def test_the_password_is_not_logged(
    server: Server, database: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.create(database)
    monkeypatch.setattr(absl_logging.get_absl_logger(), "filters", [])  # as before the first store was opened
    before = absl_logging.get_verbosity()
    absl_logging.set_verbosity(logging.INFO)  # 20, which to absl is more than DEBUG
    with caplog.at_level(logging.NOTSET), store_lock(settings_of(url), "me"), open_store(url):
        pass
    absl_logging.set_verbosity(before)
    assert "MetadataStore with DB connection initialized" in caplog.messages
    assert PASSWORD not in caplog.text


def test_a_percent_encoded_password(server: Server, database: str) -> None:
    url = server.create(database).replace(f"${{{PASSWORD_VARIABLE}}}", "s%25c%2Fr%40t%3A%201")
    with open_store(url) as handle:
        assert handle.store.get_artifact_types() == []
