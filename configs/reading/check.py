"""Settings as written, held against what is allowed: unknown keys, `${NAME}`, nulls, true where a number belongs.

Done before pydantic sees the values, because here the places, the overlays and the texts as written are still known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from configs.reading.environment import UndefinedVariableError, expand
from configs.reading.located import Located, Mistake, Path, dotted, mistake, shown
from configs.reading.shape import Shape, settings_shape
from configs.reading.unknown_key import unknown_key
from configs.secret import expand_around_secrets, mask_passwords
from schemas.nearest import nearest


def checked(tree: Located, environment: Mapping[str, str]) -> tuple[Located, list[Mistake]]:
    """The tree with variables replaced and without what is unknown or taken away, and the mistakes found on the way."""
    check = _Check(environment)
    return check.value(tree, settings_shape(), ()), check.mistakes


class _Check:
    """One walk over the tree; a class because it collects the mistakes."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.mistakes: list[Mistake] = []

    def value(self, node: Located, shape: Shape, path: Path) -> Located:
        if isinstance(node.value, dict):
            return self._mapping(node, node.value, shape, path)
        if isinstance(node.value, list):
            items = []
            for place, item in enumerate(node.value):
                child = shape.child(place)
                items.append(self.value(item, child, (*path, place)) if child else item)
            return replace(node, value=items)
        if isinstance(node.value, str):
            return self._text(node, node.value, shape, path)
        if isinstance(node.value, bool) and shape.types & {"integer", "number"} and "boolean" not in shape.types:
            self._mistake(node, path, f"{dotted(path)} must be a number.", "Write a number instead of true or false.")
        if isinstance(node.value, int) and not -(2**63) <= node.value < 2**63:
            self._mistake(node, path, f"{dotted(path)} does not fit into 64 bits.", "Write a smaller number.")
        return node

    def _mapping(self, node: Located, entries: Mapping[str, Located], union: Shape, path: Path) -> Located:
        shape, kind = union, None
        if union.discriminator:
            written = entries.get(union.discriminator)
            kind = (
                written.value if written and isinstance(written.value, str) and written.value in union.kinds else None
            )
            if kind is None:
                return node  # without its kind, nothing can be said about the other keys
            shape = union.of_kind(kind)
        elif not shape.keys and not shape.free:
            return node  # no mapping belongs here, which pydantic says
        kept: dict[str, Located] = {}
        for key, child in entries.items():
            inner = shape.child(key)
            if inner is None or (shape.free and shape.choices and key not in shape.choices):
                if not child.takes_away:
                    self.mistakes.append(unknown_key(key, child, path, shape, kind, union))
            elif child.value is not None or "null" in inner.types:
                kept[key] = self.value(child, inner, (*path, key))
            elif not child.takes_away and key not in shape.keys:
                siblings = [name for name, other in entries.items() if other.value is not None]
                near = nearest(key, siblings)
                hint = f" Did you mean to take away {near!r}?" if near else ""
                self._mistake(
                    child, (*path, key), f"{dotted((*path, key))} is empty.", f"Give it a value or remove it.{hint}"
                )
        return replace(node, value=kept)

    def _text(self, node: Located, text: str, shape: Shape, path: Path) -> Located:
        if not shape.environment:
            if "${" in text:
                fields = ", ".join(dotted(field) for field in environment_fields())
                self._mistake(
                    node, path, f"{dotted(path)} cannot hold an environment variable.", f"Fields that can: {fields}."
                )
            return node
        if shape.deferred:
            return node
        try:
            if shape.secret:
                return replace(node, value=expand_around_secrets(text, lambda part: expand(part, self._environment)))
            return replace(node, value=expand(text, self._environment))
        except UndefinedVariableError as error:
            near = nearest(error.name, self._environment)
            hint = f" Did you mean ${{{near}}}?" if near else ""
            fix = f"Set it (export {error.name}=...) or give a default (${{{error.name}:-...}}).{hint}"
            self._mistake(node, path, f"The environment variable {error.name} is not set.", fix)
        except ValueError as error:
            self._mistake(node, path, f"{dotted(path)}: {error}.", "Write ${NAME}.")
        return node

    def _mistake(self, node: Located, path: Path, what: str, fix: str) -> None:
        self.mistakes.append(mistake(node.place, path, what, received=mask_passwords(shown(node)), fix=fix))


def environment_fields() -> list[Path]:
    """Paths of the fields that may hold `${NAME}`."""
    return list(_environment_fields(settings_shape(), ()))


def _environment_fields(shape: Shape, path: Path) -> Iterator[Path]:
    if shape.environment:
        yield path
    for key in shape.keys if not shape.kinds else ():
        child = shape.child(key)
        if child is not None:
            yield from _environment_fields(child, (*path, key))
