"""A metadata store at an address, and the error where it cannot be opened."""

from __future__ import annotations

import os

import pytest

from configs.load import load_settings
from configs.settings import Settings
from runners.metadata.backend import StoreUnreachableError
from runners.metadata_store import StoreMetadata, metadata_connection
from schemas.errors import RunError
from tests.integration.command_server import ROOT
from tests.integration.servers.database_server import PASSWORD


def settings_of(url: str, *overrides: str, name: str = "taxi") -> Settings:
    taxi = ROOT / "configs" / "taxi.yaml"
    return load_settings([taxi], [f"name={name}", f"metadata.url={url}", *overrides], os.environ)


def open_store(url: str, *overrides: str) -> StoreMetadata:
    return metadata_connection(settings_of(url, *overrides))


def refusal(url: str) -> RunError:
    with pytest.raises(RunError) as caught, open_store(url, "metadata.retry_seconds=1000"):
        pass
    assert not isinstance(caught.value, StoreUnreachableError)
    assert PASSWORD not in str(caught.value)
    return caught.value
