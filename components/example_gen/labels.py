"""The labels of some rows: which rows have none, which have an impossible one, and how often each class occurs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from components.example_gen.values import ValueType
from schemas.errors import SchemaError
from schemas.expression import Expression
from schemas.features import BinaryLabel, IntegerLabel, Label, OneHotLabel

_MOST_CLASSES = 1000

TypedColumn = tuple[ValueType, Any]
"""A column's type and its Arrow DictionaryArray of typed values."""
Column = npt.NDArray[Any]


@dataclass(frozen=True)
class Labels:
    """The labels of rows.

    Args:
        missing: bool [rows]: a label column is empty (or NaN).
        wrong: bool [rows]: the label is none of the classes, or an infinite number.
        counts: rows of each class; of a numeric label it holds at most two values, enough to tell whether it varies.
        unknown: rows of each label that is no class.
        classes: [rows] the class, as text, where it is neither missing nor wrong; None of a numeric label.
    """

    missing: npt.NDArray[np.bool_]
    wrong: npt.NDArray[np.bool_]
    counts: Counter[str]
    unknown: Counter[str]
    classes: npt.NDArray[Any] | None = None


def read_labels(label: Label, columns: Mapping[str, TypedColumn]) -> Labels:
    """Reads the labels of all rows.

    Args:
        label: the label of the feature table.
        columns: at least the label's columns.

    Raises:
        SchemaError: the expression of a yes/no label does not give yes or no.
    """
    values = {name: _dense(*columns[name]) for name in label.columns}
    missing = np.zeros(len(next(iter(values.values()))), bool)
    for value in values.values():
        missing |= _is_missing(value)
    there = {name: value[~missing] for name, value in values.items()}
    wrong = np.zeros(len(missing), bool)
    if isinstance(label, BinaryLabel):
        return _labels(missing, wrong, np.where(_yes_or_no(label, there), "yes", "no"))
    target = there[label.column]
    if isinstance(label, IntegerLabel):
        number = target.astype(np.int64)
        wrong[~missing] = (number < 0) | (number >= label.classes)
    elif isinstance(label, OneHotLabel):
        wrong[~missing] = ~np.isin(target, np.array(label.classes, dtype=object))
    else:
        wrong[~missing] = np.isinf(target.astype(np.float64))
        finite = target[~wrong[~missing]]
        two = np.unique(finite)[[0, -1]] if len(finite) else finite
        return Labels(missing, wrong, Counter({str(number): 1 for number in two}), Counter())
    return _labels(missing, wrong, target.astype(str))


def _labels(missing: npt.NDArray[np.bool_], wrong: npt.NDArray[np.bool_], target: Column) -> Labels:
    classes = np.zeros(len(missing), target.dtype)
    classes[~missing] = target
    odd = wrong[~missing]
    return Labels(missing, wrong, _counts(target[~odd]), _counts(target[odd]), classes)


def _counts(labels: Column) -> Counter[str]:
    found, counts = np.unique(labels, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_MOST_CLASSES]
    return Counter({str(found[i]): int(counts[i]) for i in order})


def _yes_or_no(label: BinaryLabel, columns: Mapping[str, Column]) -> npt.NDArray[np.bool_]:
    expression = Expression(label.expression)
    try:
        with np.errstate(all="ignore"):
            result = np.asarray(expression(columns))
    except TypeError as error:
        raise _not_binary(label, f"it cannot be computed: {error}") from error
    rows = len(next(iter(columns.values())))
    if result.dtype != np.bool_ and not np.isin(result, (0, 1)).all():
        raise _not_binary(label, f"it gives numbers, such as {result[~np.isin(result, (0, 1))][0]}")
    return np.broadcast_to(result, (rows,)).astype(bool)


def _not_binary(label: BinaryLabel, why: str) -> SchemaError:
    return SchemaError(
        f"The label expression does not give yes or no: {why}.",
        where="label.expression",
        received=label.expression,
        fix="Compare numbers with numbers and text with quoted strings, for example tips > 0.2 * fare.",
    )


def _dense(kind: ValueType, values: Any) -> Column:
    """Numbers as they are, NaN for a missing float; strings, and integers with missing ones, as objects or None."""
    if kind == "none":
        return np.full(len(values), None, dtype=object)
    plain = values.dictionary.take(values.indices)
    if kind == "string" or (kind == "int" and plain.null_count):
        return np.array(plain.to_pylist(), dtype=object)
    array: Column = plain.to_numpy(zero_copy_only=False)
    return array


def _is_missing(value: Column) -> npt.NDArray[np.bool_]:
    if value.dtype == object:
        return np.array([item is None for item in value], bool)
    if np.issubdtype(value.dtype, np.floating):
        return np.isnan(value)
    return np.zeros(len(value), bool)
