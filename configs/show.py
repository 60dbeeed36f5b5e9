"""Resolved settings as YAML, for people."""

from __future__ import annotations

from typing import Any

import yaml

from configs.reading.environment import escape
from configs.reading.shape import Shape, settings_shape
from configs.reading.yaml_source import reads_as_text
from configs.secret import SecretUrl
from configs.settings import Settings


def show(settings: Settings) -> str:
    """The settings with every default, as YAML; passwords are ***, those given as `${NAME}` stay.

    `load_settings` reads it back to equal settings, where no password was written out.
    """
    content = _shown(settings.model_dump(mode="python", by_alias=True), settings_shape())
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def _shown(value: Any, shape: Shape | None) -> Any:
    if isinstance(value, dict):
        inner = shape.of_kind(value.get(shape.discriminator)) if shape and shape.discriminator else shape
        return {key: _shown(child, inner.child(key) if inner else None) for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [_shown(child, shape.child(place) if shape else None) for place, child in enumerate(value)]
    if isinstance(value, SecretUrl):
        return value.masked
    if isinstance(value, str):
        return escape(value) if shape and shape.environment and not shape.secret else str(value)
    return value


class _Dumper(yaml.SafeDumper):
    """Quotes what YAML 1.2 would not read as text, and keeps lists of plain values on one line."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if reads_as_text(value) else '"')


def _list(dumper: yaml.SafeDumper, value: list[Any]) -> yaml.SequenceNode:
    flat = not any(isinstance(item, dict) for item in value)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=flat)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _list)
