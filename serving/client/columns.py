"""Columns of a request: arrays of the types that a signature takes, made of rows or of columns as they come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.errors import DataError
from schemas.request import request_key
from serving.client.signature import Signature, TensorSpec

Columns = dict[str, npt.NDArray[Any]]

_MISSING = " If it stands for a missing value: `scalable-tf predict -c FILE` takes data.missing_values."
_SHOWN = 100  # characters of a value
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


def columns_of_rows(rows: Sequence[Mapping[str, Any]], signature: Signature) -> Columns:
    """The inputs of a signature from rows; what it does not take is left out.

    Args:
        rows: values by column, as the data or requests name it. Text stands for a number where the signature takes one,
            as in CSV. What is missing, None or an empty text is NaN for decimal numbers and "" for text.
        signature: what is asked.

    Raises:
        DataError: there are no rows, two columns are one input, or a value cannot be what the signature takes.
    """
    if not rows:
        raise DataError("There are no rows to predict for.", fix="Give at least one.")
    names = {request_key(name): name for row in rows for name in row}  # errors name what the rows have
    keyed = [{request_key(name): value for name, value in row.items()} for row in rows]
    for place, (row, values) in enumerate(zip(rows, keyed, strict=True), 1):
        if len(row) != len(values):
            _check_names(row, signature, place)
    made = {}
    for key, spec in signature.inputs.items():
        name = names.get(key, key)
        column = [_value(row.get(key), spec, name, place) for place, row in enumerate(keyed, 1)]
        try:
            made[key] = _array(column, spec, name)
        except DataError:
            for place, value in enumerate(column, 1):  # which of them it is
                _array([value], spec, name, f"row {place}")
            raise
        if made[key].ndim > 1 and spec.shape is not None and len(spec.shape) == 1:
            raise _wrong(name, "row 1", str(column[0])[:_SHOWN], spec, " The model takes one value of each row here.")
    return made


def _check_names(row: Mapping[str, Any], signature: Signature, place: int) -> None:
    for key in signature.inputs:
        same = [name for name in row if request_key(name) == key]
        if len(same) > 1:
            raise DataError(
                f"Two columns are one input of the model: {key}.",
                where=f"row {place}",
                received=", ".join(map(repr, same)),
                fix="Leave one of them out.",
            )


def columns_of(given: Mapping[str, Any], signature: Signature) -> Columns:
    """The inputs of a signature from columns.

    Args:
        given: whatever numpy makes arrays of, by key; numbers must keep their value in the type that the model takes.
        signature: what is asked.

    Raises:
        DataError: an input is missing or unknown, or a value cannot be what the signature takes.
    """
    missing, unknown = (sorted(one) for one in (signature.inputs.keys() - given, given.keys() - signature.inputs))
    if missing or unknown:
        near = [(name, match[0]) for name in unknown if (match := get_close_matches(name, missing, n=1))]
        todo = [f"{verb} {', '.join(names)}." for verb, names in (("Add", missing), ("Leave out", unknown)) if names]
        raise DataError(
            "The columns are not the signature's inputs.",
            where=f"signature {signature.name}",
            received=", ".join(sorted(given)) or "none",
            fix=" ".join([*(f"Is {name} meant to be {other}?" for name, other in near), *todo]),
        )
    return {key: _array(given[key], spec, key) for key, spec in signature.inputs.items()}


def length(columns: Mapping[str, npt.NDArray[Any]]) -> int:
    """The number of rows.

    Raises:
        DataError: columns are of different lengths, or one is a single value.
    """
    lengths = {key: column.shape[0] if column.ndim else None for key, column in columns.items()}
    if len(set(lengths.values())) != 1 or None in lengths.values():
        raise DataError("Columns must be of one length.", received=lengths, fix="Give each row a value in each column.")
    return int(next(iter(columns.values())).shape[0])


def joined(parts: Iterable[Mapping[str, npt.NDArray[Any]]]) -> Columns:
    """Columns one after another.

    Raises:
        DataError: one of several parts has a single value for all of its rows.
    """
    first, *others = parts
    if not others:
        return dict(first)
    for key, column in first.items():
        if not column.ndim:
            raise DataError(
                "An output has one value for a request, not for each of its rows: requests cannot be joined.",
                where=f"output {key}",
                fix="Ask for all rows in one request.",
            )
    return {key: np.concatenate([part[key] for part in (first, *others)]) for key in first}


def _value(value: Any, spec: TensorSpec, key: str, place: int) -> Any:
    kind = np.dtype(spec.dtype).kind
    if value is None or (value == "" and kind == "f"):
        if kind not in "fO":
            raise _wrong(key, f"row {place}", "nothing", spec)
        return float("nan") if kind == "f" else ""
    if not isinstance(value, str) or kind == "O":
        return value
    try:
        if kind == "b":
            return _TRUTH[value.strip().lower()]
        return float(value) if kind == "f" else int(value)
    except (KeyError, ValueError):
        raise _wrong(key, f"row {place}", repr(value), spec, _MISSING) from None


def _array(values: Any, spec: TensorSpec, key: str, row: str = "") -> npt.NDArray[Any]:
    wanted = np.dtype(spec.dtype)
    try:
        array = np.asarray(values, dtype=object if wanted.kind == "O" else None)
        fits = array.dtype.kind != "O" if wanted.kind != "O" else _is_text(array)
    except ValueError:  # rows of different lengths
        raise _wrong(key, row, "lists of different lengths", spec) from None
    if wanted.kind == "O" and fits:
        return np.frompyfunc(_bytes, 1, 1)(array) if array.ndim else np.array(_bytes(array.item()), dtype=object)
    if wanted.kind in "iu" and array.dtype.kind in "fO":
        # numpy takes whole numbers of different signs, or of more than 63 bits, for decimal ones.
        exact = _whole(np.asarray(values, dtype=object), wanted)
        if exact is not None:
            return exact
    if fits and (array.dtype.kind == "b") == (wanted.kind == "b") and array.dtype.kind in "biuf":
        with np.errstate(all="ignore"):
            made = array.astype(wanted)
        if wanted.kind == "f" or np.array_equal(made, array):  # a float may lose digits, as everywhere
            return made
    raise _wrong(key, row, array.ravel()[:3].tolist(), spec)


def _whole(array: npt.NDArray[np.object_], wanted: np.dtype[Any]) -> npt.NDArray[Any] | None:
    """The whole numbers of an array, or None if others are in it."""
    limits = np.iinfo(wanted)
    for one in array.ravel():
        if isinstance(one, bool) or not isinstance(one, int) or not limits.min <= one <= limits.max:
            return None
    return array.astype(wanted)


def _is_text(array: npt.NDArray[Any]) -> bool:
    return all(isinstance(one, str | bytes) for one in array.ravel())


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _wrong(key: str, row: str, received: object, spec: TensorSpec, fix: str = "") -> DataError:
    kind = np.dtype(spec.dtype)
    name = "text" if kind.kind == "O" else str(kind)
    return DataError(
        f"A value is not what the model takes: {name}.",
        where=f"{key}, {row}" if row else key,
        received=received,
        fix=f"Change the value, or leave the row out.{fix}",
    )
