"""What a dry run says of its store."""

from __future__ import annotations

import json

import pytest

from runners.kubeflow.dry_run.database import Database
from runners.kubeflow.dry_run.metadata_line import compiled_store, metadata_line

POSTGRES = Database("postgresql", "postgres", "", "")
COMPILED = json.dumps({"metadata": {"url": "mysql://ml:${PASSWORD}@store/ml"}})


def test_why_it_is_of_another_kind_than_the_compiled_one() -> None:
    store = compiled_store(COMPILED)
    assert metadata_line(POSTGRES, None, store, chosen=False) == (
        "metadata: an empty postgres, started for this run and thrown away: mysql://ml@store:3306/ml, as compiled, is "
        "for the cluster, and no server for mysql is installed here. --keep-metadata takes that one"
    )
    assert "is installed" not in metadata_line(POSTGRES, None, store, chosen=True)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (None, "mysql://ml@store:3306/ml, as compiled"),
        ("grpc://other:8080", "grpc://other:8080, as given"),
        ("postgresql://ml:secret@other/ml", "postgresql://ml@other:5432/ml, as given"),
        ("what?", "the store, as given"),
    ],
)
def test_a_store_of_ones_own_is_named_without_secrets(url: str | None, shown: str) -> None:
    line = metadata_line(None, url, compiled_store(COMPILED), chosen=False)
    assert line == f"metadata: {shown}; it keeps this run"


@pytest.mark.parametrize("settings", ["{", "[]", "{}", '{"metadata": {"url": 1}}', '{"metadata": {"url": "x"}}', None])
def test_settings_that_name_no_store(settings: str | None) -> None:
    assert compiled_store(settings) is None
