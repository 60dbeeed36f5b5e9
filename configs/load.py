"""Settings from YAML files, overlays, `--set` and the environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from configs.settings import Settings
from schemas.errors import SettingsError


def load_settings(
    files: Sequence[Path], overrides: Sequence[str] = (), environment: Mapping[str, str] | None = None
) -> Settings:
    """The settings that the files, merged from left to right, and the overrides describe.

    Args:
        files: YAML files; each is laid over those before it.
        overrides: `a.b=value` texts, as given with `--set`; values are YAML.
        environment: what `${NAME}` is read from; default: the process's environment.

    Raises:
        SettingsError: a file cannot be read, or says something that the settings do not have.
    """
    merged: dict[str, Any] = {}
    for file in files:
        try:
            content = yaml.safe_load(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise SettingsError("The settings file cannot be read.", where=str(file), received=error) from error
        merged = _merge(merged, content or {})
    for override in overrides:
        key, _, text = override.partition("=")
        value: Any = yaml.safe_load(text)
        for part in reversed(key.split(".")):
            value = {part: value}
        merged = _merge(merged, value)
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise SettingsError("The settings are wrong.", where=", ".join(map(str, files)), received=error) from error


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
