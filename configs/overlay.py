"""Overlays: settings laid over settings, from files and from `--set`.

Mappings merge key by key; a list, a number or a text replaces what was there as a whole. A null takes an entry away, so
that its default holds again (`features.company: null` drops a feature, `training.epochs: null` is the default number);
where null is a value of its own (`training.early_stopping: null` switches it off), it is that value.
"""

from __future__ import annotations

import re
from dataclasses import replace

from configs.located import Located, Mistake, Place
from configs.secret import mask_passwords
from configs.yaml_source import parse_yaml
from schemas.errors import SettingsError

_SEGMENT = re.compile(r"""\s*(?:"([^"]+)"|'([^']+)'|([^.="'\s\[\]]+))\s*(\.|=|$)""")


def merge(base: Located, over: Located) -> Located:
    """The overlay laid over the base; places tell where each value of the result was written."""
    if isinstance(base.value, dict) and isinstance(over.value, dict):
        merged = dict(base.value)
        for key, value in over.value.items():
            merged[key] = merge(merged[key], value) if key in merged else value
        return replace(base, value=merged)
    return replace(over, takes_away=over.value is None)


def parse_override(text: str) -> tuple[Located, list[Mistake]]:
    """The mapping that `a.b=value` describes; the value is YAML, nothing after `=` is null.

    A key that holds a dot is put in quotes: `features."trip.miles".log=true`.

    Raises:
        SettingsError: there is no `=`, a key is empty, or the value is not YAML.
    """
    source = f"--set {mask_passwords(text)}"
    keys, value = _keys(text, source)
    tree, mistakes = parse_yaml(value, source, one_line=True)
    mistakes = [found._replace(path=(*keys, *found.path)) for found in mistakes]
    for key in reversed(keys):
        tree = Located({key: replace(tree, key=Place(source))}, Place(source))
    return tree, mistakes


def _keys(text: str, source: str) -> tuple[list[str], str]:
    keys: list[str] = []
    position = 0
    while found := _SEGMENT.match(text, position):
        keys.append(found[1] or found[2] or found[3])
        position = found.end()
        if found[4] == "=":
            return keys, text[position:]
        if found[4] != ".":
            break
    if "=" not in text:
        fix = "Write KEY=VALUE, for example --set training.epochs=3."
    elif "[" in text.partition("=")[0]:
        fix = "A list is replaced as a whole, for example --set evaluation.slices='[[company]]'."
    else:
        fix = 'Write dots between keys, as in --set training.epochs=3; quote a key that holds a dot: features."a.b".'
    raise SettingsError("The override is not KEY=VALUE.", where=source, fix=fix)
