"""What to say about a key that the settings do not have."""

from __future__ import annotations

from collections.abc import Iterator

from configs.reading.located import Located, Mistake, Path, dotted, mistake
from configs.reading.shape import Shape, settings_shape
from schemas.nearest import nearest


def unknown_key(key: str, value: Located, parent: Path, shape: Shape, kind: str | None, union: Shape) -> Mistake:
    """The mistake, with the nearest key that is known there, the kinds that have the key, or the section it belongs to.

    Args:
        key: the unknown key.
        value: what was written under it; it is not shown.
        parent: path of the mapping that holds the key.
        shape: what that mapping allows.
        kind: the kind of the mapping where there are several.
        union: what all kinds of the mapping allow; the shape itself where there are none.
    """
    known = shape.choices if shape.free else shape.keys
    owners = [name for name, other in union.kinds.items() if key in other.keys]
    near = nearest(key, known)
    if owners:
        kinds = f"kind{'s' if len(owners) > 1 else ''} {', '.join(owners)}"
        fix = f"{key!r} is a key of the {kinds}: change the kind, or remove the key."
    elif near:
        fix = f"Did you mean {near!r}?"
    elif homes := list(_homes(key, settings_shape(), ())):
        fix = f"{key!r} is a key of {' and of '.join(homes)}: move it there."
    else:
        fix = ""
    of_kind = f", which is of kind {kind!r}" if kind else ""
    place = f" in {dotted(parent)}{of_kind}" if parent else ""
    return mistake(
        value.start,
        (*parent, key),
        f"Unknown key {key!r}{place}.",
        received=key,
        fix=f"{fix} Known keys here: {', '.join(known)}.".strip(),
    )


def _homes(key: str, shape: Shape, path: Path) -> Iterator[str]:
    for name in shape.keys if not shape.kinds else ():
        child = shape.child(name)
        if child is None:
            continue
        if path and name == key:
            yield dotted(path)
        yield from _homes(key, child, (*path, name))
