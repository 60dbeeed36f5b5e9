"""Fingerprint of what the settings hold data to: with other rules, data that were refused may be taken."""

from __future__ import annotations

import hashlib
import json

from configs.paths import resolve
from configs.settings import Settings
from schemas.errors import SettingsError

_ELSEWHERE = {"path", "span", "query", "block_bytes"}


def data_rules(settings: Settings) -> str:
    """SHA-256, in hex: how rows are read, the feature table, validation, and the curated schema's content."""
    rules = {
        "data": settings.data.model_dump(mode="json", exclude=_ELSEWHERE),
        "table": settings.table.model_dump(mode="json"),
        "validation": settings.validation.model_dump(mode="json", exclude={"samples"}),
        "schema": _content(settings.curated_schema.path),
    }
    return hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()


def _content(path: str | None) -> str:
    """Of the curated schema; that it cannot be read is what the run will say."""
    if path is None:
        return ""
    try:
        with open(resolve(path), "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except (OSError, SettingsError) as error:
        return type(error).__name__
