"""The slices of a batch, by whole columns.

TFMA asks each row for its slices. Rows that have the same values in the columns of a slice are in the same slices, so
one row of each kind is asked here, by TFMA's own code, and the others follow it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from tensorflow_model_analysis.slicer import slicer_lib

SliceKey = tuple[tuple[str, Any], ...]
"""As in TFMA: column and value; () is the slice of all rows."""
RowNumbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class _Kinds:
    """A column by its different values: `values[codes[row]]` are those of a row."""

    codes: RowNumbers
    values: Sequence[Sequence[Any]]


def slices_of(
    batch: pa.RecordBatch, transformed: Sequence[Mapping[str, npt.NDArray[Any]]], specs: Sequence[Any]
) -> Iterator[tuple[SliceKey, RowNumbers]]:
    """The slices that have rows in a batch.

    Args:
        batch: columns of lists, as TFXIO reads examples.
        transformed: transformed features of each model; as in TFMA, a column is looked for in them first.
        specs: `tfma.SlicingSpec`s.

    Yields:
        Each slice once, and the numbers of its rows.

    Raises:
        ValueError: a text by which rows are sliced is not UTF-8.
    """
    known: set[SliceKey] = set()
    columns: dict[str, _Kinds | None] = {}
    for spec in specs:
        names = sorted({*spec.feature_keys, *spec.feature_values})
        for name in names:
            if name not in columns:
                columns[name] = _kinds(batch, transformed, name)
        for key, rows in _slices_of_spec(slicer_lib.SingleSliceSpec(spec=spec), names, columns, batch.num_rows):
            if key not in known:
                known.add(key)
                yield key, rows


def _slices_of_spec(
    spec: Any, names: Sequence[str], columns: Mapping[str, _Kinds | None], count: int
) -> Iterator[tuple[SliceKey, RowNumbers]]:
    kinds = {name: found for name in names if (found := columns[name]) is not None}
    codes = np.zeros(count, np.int64)
    for found in kinds.values():
        # Numbered anew after each column, so that they do not grow beyond the number of rows.
        codes = np.unique(codes * len(found.values) + found.codes, return_inverse=True)[1].reshape(-1)
    order = np.argsort(codes, kind="stable")
    rows_of: dict[SliceKey, list[RowNumbers]] = {}
    for rows in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
        features = {name: _array(found.values[found.codes[rows[0]]]) for name, found in kinds.items()}
        for key in slicer_lib.get_slices_for_features_dicts([], features, [spec]):
            rows_of.setdefault(key, []).append(rows)
    for key, parts in rows_of.items():
        yield key, np.concatenate(parts)


def _kinds(batch: pa.RecordBatch, transformed: Sequence[Mapping[str, npt.NDArray[Any]]], name: str) -> _Kinds | None:
    """A column by its values; None where there is no such column."""
    found = [features[name].reshape(batch.num_rows, -1) for features in transformed if name in features]
    if found:
        return _numbered([tuple(row) for row in np.concatenate(found, axis=1).tolist()])
    index = batch.schema.get_field_index(name)
    if index < 0 or pa.types.is_null(batch.schema.field(index).type):
        return None
    column = batch.column(index)
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    if lengths.max(initial=0) > 1:
        return _numbered([tuple(row or ()) for row in column.to_pylist()])
    encoded = column.flatten().dictionary_encode()
    codes = np.zeros(batch.num_rows, np.int64)  # 0: no value
    codes[lengths == 1] = encoded.indices.to_numpy(zero_copy_only=False) + 1
    return _Kinds(codes, [(), *((value,) for value in encoded.dictionary.to_pylist())])


def _numbered(rows: Sequence[tuple[Any, ...]]) -> _Kinds:
    numbers: dict[tuple[Any, ...], int] = {}
    codes = np.array([numbers.setdefault(row, len(numbers)) for row in rows], np.int64)
    return _Kinds(codes, list(numbers))


def _array(values: Sequence[Any]) -> npt.NDArray[Any]:
    # NumPy's own type of bytes would lose zeros at the end.
    return np.array(values, object if any(isinstance(value, bytes) for value in values) else None)
