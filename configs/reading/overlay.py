"""Overlays: settings laid over settings, from files and from `--set`.

Mappings merge key by key; a list, a number or a text replaces what was there as a whole. A mapping that writes another
`kind` replaces the whole mapping too, since the keys of one kind mean nothing to another: over
`fare: {kind: numeric, log: true}`, `fare: {kind: bucketized, buckets: 4}` leaves no `log`. Only `runner` and `engine`
keep their other keys, which are those of every kind.

A null takes an entry away, so that its default holds again (`features.company: null` drops a feature,
`training.epochs: null` is the default number); where null is a value of its own (`training.early_stopping: null`
switches it off), it is that value.
"""

from __future__ import annotations

import re
from dataclasses import replace

from configs.reading.located import Located, Mistake, Path, Place
from configs.reading.yaml_source import parse_yaml
from configs.secret import mask_passwords
from schemas.errors import SettingsError

_SEGMENT = re.compile(r"""\s*(?:"([^"]+)"|'([^']+)'|([^.="'\s\[\]]+))\s*(\.|=|$)""")


_KEPT = (("runner",), ("engine",))
"""Sections whose kind can change alone, as `--runner` and `--engine` do."""


def merge(base: Located, over: Located, path: Path = ()) -> Located:
    """The overlay laid over the base; places tell where each value of the result was written.

    Args:
        base: what is there.
        over: what is laid over it.
        path: where in the settings both are.
    """
    if not (isinstance(base.value, dict) and isinstance(over.value, dict)):
        return replace(over, takes_away=over.value is None)
    there = base.value
    if path not in _KEPT and _kind(base) and _kind(over) and _kind(base) != _kind(over):
        # A null may still say that a key of the old kind goes.
        left = {
            key: replace(value, takes_away=value.value is None and key in there) for key, value in over.value.items()
        }
        return replace(over, value=left)
    merged = {
        key: merge(there[key], value, (*path, key)) if key in there else value for key, value in over.value.items()
    }
    return replace(base, value={**there, **merged})


def _kind(node: Located) -> str | None:
    # A feature may be named kind: its value is a mapping.
    kind = node.child("kind")
    return kind.value if kind and isinstance(kind.value, str) else None


def parse_override(text: str, typed: str = "") -> tuple[Located, list[Mistake]]:
    """The mapping that `a.b=value` describes; the value is YAML, nothing after `=` is null.

    A key that holds a dot is put in quotes: `features."trip.miles".log=true`.

    Args:
        text: the override.
        typed: what stood for it on the command line, such as `--engine flink`; default: `--set` and the text.

    Raises:
        SettingsError: there is no `=`, a key is empty, or the value is not YAML.
    """
    source = mask_passwords(typed or f"--set {text}")
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
