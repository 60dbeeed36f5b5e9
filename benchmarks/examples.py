"""Raw columns of a split as arrays. Imports TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from benchmarks.predictions import batches
from schemas.features import Dtype

_TYPES: dict[Dtype, tf.DType] = {"float": tf.float32, "int": tf.int64, "string": tf.string}


def read_columns(examples: Path, columns: Mapping[str, Dtype]) -> dict[str, npt.NDArray[np.generic]]:
    """Columns of a split.

    Args:
        examples: folder with gzipped TFRecords of tf.Example, at most one value a feature.
        columns: types by name.

    Returns:
        Arrays [rows] by name, in the order of the files: float columns as float32, int as float64 (exact to 2**53),
        missing as NaN; string columns as objects (bytes), missing as b"".
    """
    spec = {name: tf.io.VarLenFeature(_TYPES[dtype]) for name, dtype in columns.items()}
    parts: dict[str, list[npt.NDArray[np.generic]]] = {name: [] for name in columns}
    for batch in batches(examples):
        for name, sparse in tf.io.parse_example(batch, spec).items():
            dense = _empty(len(batch), columns[name])
            dense[sparse.indices.numpy()[:, 0]] = sparse.values.numpy()
            parts[name].append(dense)
    return {name: np.concatenate(found) for name, found in parts.items()}


def _empty(size: int, dtype: Dtype) -> npt.NDArray[np.generic]:
    if dtype == "string":
        return np.full(size, b"", dtype=object)
    return np.full(size, np.nan, dtype=np.float32 if dtype == "float" else np.float64)
