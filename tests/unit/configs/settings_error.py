"""The error of settings that are refused, and the mistakes that it lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.load import load_settings
from schemas.errors import SettingsError


def error(file: Path, *overrides: str, environment: dict[str, str] | None = None) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        load_settings([file], overrides, environment or {})
    return caught.value


def errors(file: Path, *overrides: str) -> list[str]:
    return str(error(file, *overrides)).split("\n\n")
