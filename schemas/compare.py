"""The difference between two schemas, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from tensorflow_metadata.proto.v0 import schema_pb2

DATASET = "dataset"
"""Stands for the feature of a change that concerns the rows as a whole."""

SHOWN_VALUES = 10
"""Values of a domain that are listed."""

_IN_WORDS = {"name", "type", "presence", "value_count", "domain", "string_domain", "int_domain", "float_domain"}


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes:
        feature: name of the feature, or `dataset`.
        text: what is different, in words, such as `type INT -> FLOAT`.
    """

    feature: str
    text: str

    def __str__(self) -> str:
        return f"{self.feature}: {self.text}"


def compare_schemas(before: schema_pb2.Schema, after: schema_pb2.Schema) -> tuple[Change, ...]:
    """What has to be done to `before` to get `after`.

    The order of features and of the values of a domain means nothing, nor does the name of a domain or the place where
    it stands, in the feature or in the schema.

    Returns:
        Changes in the order of the features of `before`, then new features, then the dataset; empty when the schemas
        ask the same of the data.
    """
    old = {feature.name: feature for feature in before.feature}
    new = {feature.name: feature for feature in after.feature}
    old_values, new_values = _all_values(before), _all_values(after)
    found = []
    for name, feature in old.items():
        if name in new:
            texts = _feature_changes(feature, new[name], old_values[name], new_values[name])
        else:
            texts = iter(("removed",))
        found += [Change(name, text) for text in texts]
    for name, feature in new.items():
        if name not in old:
            found.append(Change(name, f"new: {_described(feature, new_values[name])}"))
    found += [Change(DATASET, text) for text in _dataset_changes(before, after)]
    return tuple(found)


def _feature_changes(
    old: schema_pb2.Feature, new: schema_pb2.Feature, old_values: set[str] | None, new_values: set[str] | None
) -> Iterator[str]:
    if old.type != new.type:
        yield f"type {_type(old)} -> {_type(new)}"
    yield from _value_changes(old_values, new_values)
    if _bounds(old) != _bounds(new):
        yield f"{_bounds(old)} -> {_bounds(new)}"
    if _presence(old) != _presence(new):
        yield f"{_presence(old)} -> {_presence(new)}"
    if _count(old) != _count(new):
        yield f"{_count(old)} -> {_count(new)}"
    yield from _other_fields(old, new, _IN_WORDS)


def _described(feature: schema_pb2.Feature, values: set[str] | None) -> str:
    parts = [_type(feature), _presence(feature)]
    if feature.HasField("value_count"):
        parts.append(_count(feature))
    if values is not None:
        parts.append(f"values {_listed(values)}")
    if feature.HasField("int_domain") or feature.HasField("float_domain"):
        parts.append(_bounds(feature))
    return ", ".join(parts)


def _type(feature: schema_pb2.Feature) -> str:
    return str(schema_pb2.FeatureType.Name(feature.type))


def _all_values(schema: schema_pb2.Schema) -> dict[str, set[str] | None]:
    """Each feature's string domain; None when any value will do."""
    domains = {domain.name: domain for domain in schema.string_domain}
    values: dict[str, set[str] | None] = {}
    for feature in schema.feature:
        domain = feature.string_domain if feature.HasField("string_domain") else domains.get(feature.domain)
        values[feature.name] = None if domain is None else set(domain.value)
    return values


def _value_changes(old: set[str] | None, new: set[str] | None) -> Iterator[str]:
    if old == new:
        return
    if old is None or new is None:
        yield f"values {'any' if old is None else _listed(old)} -> {'any' if new is None else _listed(new)}"
        return
    if new - old:
        yield f"values added: {_listed(new - old)}"
    if old - new:
        yield f"values removed: {_listed(old - new)}"


def _listed(values: set[str]) -> str:
    shown = ", ".join(repr(value) for value in sorted(values)[:SHOWN_VALUES])
    return shown + (f", ... ({len(values)} in all)" if len(values) > SHOWN_VALUES else "")


def _bounds(feature: schema_pb2.Feature) -> str:
    if feature.HasField("int_domain"):
        domain = feature.int_domain
    elif feature.HasField("float_domain"):
        domain = feature.float_domain
    else:
        return "any number"
    low = _number(domain.min) if domain.HasField("min") else "-inf"
    high = _number(domain.max) if domain.HasField("max") else "inf"
    text = f"numbers {low} to {high}"
    for flag, words in (("disallow_nan", "no NaN"), ("disallow_inf", "no infinity")):
        text += f", {words}" if getattr(domain, flag, False) else ""
    for field, value in domain.ListFields():
        text += "" if field.name in _DOMAIN_IN_WORDS else f", {field.name} {_short(value)}"
    return text


def _number(value: float) -> str:
    """A bound as it stands in the file: the shortest decimal of a float32, not of the double next to it."""
    return str(value) if isinstance(value, int) else str(np.float32(value))


_DOMAIN_IN_WORDS = {"min", "max", "disallow_nan", "disallow_inf"}


def _presence(feature: schema_pb2.Feature) -> str:
    if not feature.HasField("presence"):
        return "may be missing"
    parts = []
    if feature.presence.min_fraction:
        parts.append(f"in at least {100 * feature.presence.min_fraction:.4g} % of the rows")
    if feature.presence.min_count:
        parts.append(f"in at least {feature.presence.min_count} row{'s' * (feature.presence.min_count != 1)}")
    return " and ".join(parts) or "may be missing"


def _count(feature: schema_pb2.Feature) -> str:
    if not feature.HasField("value_count"):
        return "any number of values"
    low, high = feature.value_count.min, feature.value_count.max
    if low == high:
        return f"{low} value{'s' * (low != 1)}"
    return f"{low} to {high} values" if high else f"{low} or more values"


def _dataset_changes(before: schema_pb2.Schema, after: schema_pb2.Schema) -> Iterator[str]:
    for name, words in (("min_examples_count", "at least"), ("max_examples_count", "at most")):
        old, new = getattr(before.dataset_constraints, name), getattr(after.dataset_constraints, name)
        if old != new:
            yield f"{words} {old or 'any number of'} rows -> {new or 'any number of'}"
    yield from _other_fields(
        before.dataset_constraints, after.dataset_constraints, {"min_examples_count", "max_examples_count"}
    )
    yield from _other_fields(before, after, {"feature", "string_domain", "dataset_constraints"})


def _other_fields(old: Any, new: Any, skipped: set[str]) -> Iterator[str]:
    """Fields that have no words of their own, so that no difference is ever passed over."""
    for field in old.DESCRIPTOR.fields:
        if field.name in skipped:
            continue
        first, second = getattr(old, field.name), getattr(new, field.name)
        if field.enum_type is not None:
            names = field.enum_type.values_by_number
            first, second = names[first].name, names[second].name
        if first != second:
            yield f"{field.name} {_short(first)} -> {_short(second)}"


def _short(value: Any) -> str:
    text = " ".join(str(value).split()) or "none"
    return text if len(text) <= 80 else text[:80] + "..."
