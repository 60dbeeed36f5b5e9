"""pydantic's verdict in the words of the settings: every error at its line, with what was received and the remedy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from configs.reading.located import Located, Mistake, Path, dotted, mistake, shown
from configs.reading.shape import Shape, settings_shape
from configs.reading.unknown_key import unknown_key
from configs.secret import MASK
from schemas.errors import PlacedValueError
from schemas.features import FeatureTable
from schemas.nearest import nearest

_RULES = {
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text",
    "model_type": "must be a mapping (key: value lines)",
    "model_attributes_type": "must be a mapping (key: value lines)",
    "dict_type": "must be a mapping (key: value lines)",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
}


def mistakes_of(error: ValidationError, tree: Located, known: Sequence[Mistake] = ()) -> list[Mistake]:
    """The mistakes that pydantic found, but for those that follow from known ones.

    Args:
        error: raised by `Settings` or by its feature table.
        tree: what was validated.
        known: mistakes found before; a mistyped key is why another is missing, or why its section is wrong as a whole.
    """
    return list(_mistakes(error, tree, known, in_table=error.title == FeatureTable.__name__))


def _mistakes(error: ValidationError, tree: Located, known: Sequence[Mistake], *, in_table: bool) -> Iterator[Mistake]:
    entries = error.errors(include_url=False)
    wrong_items = {entry["loc"][:-1] for entry in entries}
    for entry in entries:
        if entry["type"] == "too_short" and entry["loc"] in wrong_items:
            continue  # pydantic counts the items that are right
        cause = entry.get("ctx", {}).get("error")
        if isinstance(cause, ValidationError):  # the feature table, which Settings makes on its own
            yield from _mistakes(cause, tree, known, in_table=True)
            continue
        location = entry["loc"]
        if in_table and location[:1] == ("weight",):
            location = ("example_weight", *location[1:])
        scope = _Spot(location, tree).path
        if isinstance(cause, PlacedValueError):
            location = (*location, *cause.path)
        if not any(_follows(str(entry["type"]), scope, earlier.path) for earlier in known):
            yield _mistake(entry, _Spot(location, tree))


def _follows(kind: str, path: Path, earlier: Path) -> bool:
    if path == earlier:
        return True
    if kind == "missing":
        return path[:-1] == earlier[:-1] and nearest(str(earlier[-1]), [str(path[-1])]) is not None
    return kind == "value_error" and path == earlier[: len(path)]


class _Spot:
    """Where pydantic's location is in the tree and in the shape of the settings; without the kinds of unions."""

    def __init__(self, location: tuple[int | str, ...], tree: Located) -> None:
        self.path: Path = ()
        self.node: Located | None = tree
        self.nearest: Located = tree
        self.shape: Shape | None = settings_shape()
        self.union: Shape | None = None
        self.parent: Located = tree
        for step in location:
            kinds = self.shape.kinds if self.shape else {}
            if step in kinds:
                self.union, self.shape = self.shape, kinds[str(step)]
            elif step != "[key]":
                self._descend(step)

    def _descend(self, step: int | str) -> None:
        self.parent = self.node or self.parent
        self.path = (*self.path, step)
        self.shape = self.shape.child(step) if self.shape else None
        self.node = self.node.child(step) if self.node else None
        self.nearest = self.node or self.nearest


def _mistake(entry: Mapping[str, Any], spot: _Spot) -> Mistake:
    name = dotted(spot.path)
    kind, context, cause = entry["type"], entry.get("ctx", {}), entry.get("ctx", {}).get("error")
    place = spot.nearest.place if spot.node else spot.nearest.start
    if kind == "missing":
        return mistake(place, spot.path, f"{name} is missing.", fix=_missing_fix(spot))
    if kind in ("union_tag_invalid", "union_tag_not_found") and isinstance(spot.node and spot.node.value, dict):
        return _kind_mistake(spot)
    if kind == "extra_forbidden" and spot.node:  # found before by configs.reading.check, except through another door
        shape = settings_shape()
        return unknown_key(str(spot.path[-1]), spot.node, spot.path[:-1], shape, None, shape)
    received = None if spot.node is None or isinstance(spot.node.value, dict) else shown(spot.node)
    if spot.shape and spot.shape.secret and received is not None:
        received = MASK
    if isinstance(cause, PlacedValueError):
        near = nearest(str(cause.received), cause.known) if cause.received is not None else None
        fix = f"Did you mean {near!r}?" if near else f"There are: {', '.join(cause.known)}." if cause.known else ""
        received = received if cause.received is None else str(cause.received)
        return mistake(place, spot.path, _sentence(name, str(cause)), received=received, fix=fix)
    if kind == "value_error":
        return mistake(place, spot.path, _sentence(name, str(cause)), received=received, fix=_described(spot.shape))
    if kind == "literal_error":
        choices = spot.shape.choices if spot.shape else []
        near = nearest(str(spot.node.value), choices) if spot.node else None
        rule = f"must be one of {', '.join(map(str, choices)) or context.get('expected')}"
        return mistake(
            place, spot.path, f"{name} {rule}.", received=received, fix=f"Did you mean {near!r}?" if near else ""
        )
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        kind = "model_type"
    rule = _RULES.get(kind) or _reworded(str(entry["msg"]))
    return mistake(place, spot.path, f"{name} {rule}.", received=received, fix=_type_fix(kind, spot))


def _kind_mistake(spot: _Spot) -> Mistake:
    key = spot.shape.discriminator if spot.shape and spot.shape.discriminator else "kind"
    kinds = list(spot.shape.kinds) if spot.shape else []
    written = spot.node.child(key) if spot.node else None
    path = (*spot.path, key)
    if written is None or written.value is None:
        keys = [str(k) for k in spot.node.value] if spot.node and isinstance(spot.node.value, dict) else []
        typo = next((k for k in keys if nearest(k, [key])), None)
        hint = f"Did you mean {key!r} instead of {typo!r}? " if typo else ""
        place = spot.nearest.start
        return mistake(place, path, f"{dotted(path)} is missing.", fix=f"{hint}Kinds: {', '.join(kinds)}.")
    near = nearest(str(written.value), kinds)
    fix = (f"Did you mean {near!r}? " if near else "") + f"Kinds: {', '.join(kinds)}."
    return mistake(written.place, path, f"{dotted(path)} is not a known kind.", received=shown(written), fix=fix)


def _sentence(name: str, message: str) -> str:
    message = message.rstrip(".")
    predicate = message.startswith(("must ", "has ", "cannot ", "is ", "crosses ", "reads "))
    return f"{name} {message}." if predicate and name else f"{name}: {message}." if name else f"{message}."


def _reworded(message: str) -> str:
    _, found, rule = message.replace(" after validation", "").partition(" should ")
    return f"must {rule}" if found else f"is not valid: {message}"


def _missing_fix(spot: _Spot) -> str:
    text = _described(spot.shape)
    kinds = spot.shape.kinds if spot.shape else {}
    return " ".join(part for part in (text, f"Kinds: {', '.join(kinds)}." if kinds else "") if part)


def _type_fix(kind: str, spot: _Spot) -> str:
    value = spot.node.value if spot.node else None
    if kind == "string_type" and isinstance(value, (bool, int, float)):
        return f'Put it in quotes: "{shown(spot.node)}".'
    if kind in ("tuple_type", "list_type") and isinstance(value, (str, int, float)):
        return f"Put it in brackets: [{value}]."
    return _described(spot.shape)


def _described(shape: Shape | None) -> str:
    return f"What belongs there: {shape.description}" if shape and shape.description else ""
