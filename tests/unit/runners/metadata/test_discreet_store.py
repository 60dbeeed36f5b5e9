"""What the library logs of a store's configuration when everything is let through."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from absl import logging as absl_logging
from ml_metadata import MetadataStore

from configs.secret import SecretUrl
from runners.metadata.retrying_store import RetryingStore
from runners.metadata.service import ServiceBackend
from runners.metadata.sqlite import SqliteBackend
from runners.metadata.store_backend import backend_of
from schemas.errors import RunError

PEM = "-----BEGIN {0}-----\nhunter2\n-----END {0}-----\n"


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.LogCaptureFixture]:
    """All records, as of a root logger and of an absl that let everything through, before any store was opened."""
    monkeypatch.setattr(absl_logging.get_absl_logger(), "filters", [])
    before = absl_logging.get_verbosity()
    absl_logging.set_verbosity(logging.INFO)  # 20, which to absl is more than DEBUG
    with caplog.at_level(logging.NOTSET):
        yield caplog
    absl_logging.set_verbosity(before)


@pytest.fixture
def service(tmp_path: Path) -> ServiceBackend:
    """A service that asks for a key; nobody listens, and the key is none."""
    (tmp_path / "key.pem").write_text(PEM.format("PRIVATE KEY"))
    (tmp_path / "certificate.pem").write_text(PEM.format("CERTIFICATE"))
    url = f"grpcs://127.0.0.1:1?ssl_cert={tmp_path}/certificate.pem&ssl_key={tmp_path}/key.pem"
    found = backend_of(SecretUrl(url))
    assert isinstance(found, ServiceBackend)
    return found


def test_the_check_of_a_service_does_not_log_its_key(service: ServiceBackend, logged: pytest.LogCaptureFixture) -> None:
    with pytest.raises(RunError, match="metadata store"):  # of TLS or of the port: the releases of gRPC differ
        service.check()
    assert "MetadataStore with gRPC connection initialized" in logged.messages
    assert "PRIVATE KEY" not in logged.text


def test_the_library_would(service: ServiceBackend, logged: pytest.LogCaptureFixture) -> None:
    MetadataStore(service.config())
    assert "PRIVATE KEY" in logged.text


def test_a_connection_does_not_log_its_configuration(tmp_path: Path, logged: pytest.LogCaptureFixture) -> None:
    RetryingStore(SqliteBackend(tmp_path / "hunter2.sqlite"), 0.0).get_artifact_types()
    assert "MetadataStore with DB connection initialized" in logged.messages
    assert "hunter2" not in logged.text


def test_other_records_of_absl_are_kept(tmp_path: Path, logged: pytest.LogCaptureFixture) -> None:
    RetryingStore(SqliteBackend(tmp_path / "metadata.sqlite"), 0.0)
    absl_logging.debug("%s of %s", 1, {"a": 2})
    assert "1 of {'a': 2}" in logged.messages
