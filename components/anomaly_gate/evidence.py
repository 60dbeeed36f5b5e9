"""Offending values: which rows made TFDV report an anomaly.

TFDV can search for anomalous examples itself (`validate_examples_in_tfrecord`), but it computes statistics of every row
alone: milliseconds a row. Here whole columns are compared with the schema, and only for the features that are refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from tensorflow_metadata.proto.v0 import schema_pb2

from components.anomaly_gate.search import Rows, is_utf8, search_for

LONGEST = 60
"""Characters of a value that are shown."""


@dataclass(frozen=True)
class Sample:
    """An offending value and the first row of the split, counted from 1, that has it. A missing value is None."""

    value: str | None
    row: int

    def __str__(self) -> str:
        return f"row {self.row}" if self.value is None else f"{self.value} (row {self.row})"


@dataclass(frozen=True)
class Evidence:
    """How many rows offend, and some that do."""

    rows: int
    samples: tuple[Sample, ...]


def find_evidence(
    batches: Iterable[pa.RecordBatch],
    wanted: Iterable[tuple[str, str]],
    schema: schema_pb2.Schema,
    limit: int,
) -> dict[tuple[str, str], Evidence]:
    """Looks for the rows behind anomalies, in one pass over the batches.

    Args:
        batches: list columns by feature, as `read_batches` gives them.
        wanted: pairs of feature and kind (a name of AnomalyInfo.Type).
        schema: the schema that the data are held to.
        limit: distinct values kept for each pair.

    Returns:
        Evidence for each pair whose kind concerns single rows, and of which at least one row was found.
    """
    features = {feature.name: feature for feature in schema.feature}
    domains = {domain.name: domain for domain in schema.string_domain}
    searches = {}
    for name, kind in wanted:
        search = search_for(name, kind, features.get(name), domains)
        if search is not None:
            searches[name, kind] = search
    rows = dict.fromkeys(searches, 0)
    samples: dict[tuple[str, str], dict[str | None, int]] = {pair: {} for pair in searches}
    missing: dict[tuple[str, str], list[int]] = {pair: [] for pair in searches}
    first = 1
    for batch in batches if searches else ():
        for pair, search in searches.items():
            found, values = search(batch)
            rows[pair] += len(np.unique(found))
            if values is None:
                missing[pair] += (found[: limit - len(missing[pair])] + first).tolist()
            elif len(samples[pair]) < limit and len(values):
                _keep(samples[pair], values, found + first, limit)
        first += batch.num_rows
    return {
        pair: Evidence(
            rows=rows[pair],
            samples=tuple(Sample(value, row) for value, row in samples[pair].items())
            + tuple(Sample(None, row) for row in missing[pair]),
        )
        for pair in searches
        if rows[pair]
    }


def _keep(kept: dict[str | None, int], values: pa.Array, rows: Rows, limit: int) -> None:
    """Adds the first row of each distinct value, until there are enough."""
    encoded = values.dictionary_encode()
    codes, positions = np.unique(encoded.indices.to_numpy(zero_copy_only=False), return_index=True)
    for code in codes[: limit + len(kept)]:
        if len(kept) >= limit:
            return
        kept.setdefault(_text(encoded.dictionary[int(code)], values.type), int(rows[positions[code]]))


def _text(value: pa.Scalar, kind: pa.DataType) -> str:
    plain = value.as_py()
    if isinstance(plain, bytes):
        text = repr(plain.decode("utf-8")) if is_utf8(plain) else repr(plain)
    else:
        # The shortest decimal that gives this float32 back, not the double next to it.
        text = str(np.float32(plain)) if pa.types.is_float32(kind) else str(plain)
    return text if len(text) <= LONGEST else text[:LONGEST] + "..."
