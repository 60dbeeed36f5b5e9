"""What ingestion needs of the feature table: raw columns, not what becomes of them."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.features import Cross, Dtype, FeatureTable, Label, Spec, Timestamp

ROW_ID_COLUMN = "__row_id__"
"""Where examples to predict for have the ids of their rows."""


class RawColumns(Spec):
    """The raw columns of a feature table.

    It is equal for two tables that read the same columns in the same types, so that changing how a feature is
    transformed does not ingest the data anew.

    Attributes:
        columns: every column that the features, the label and the weight read, with its type.
        readers: for each of them, who reads it, in words for messages.
        label: the label, whose values are checked; None of rows to predict for, which have none.
        timestamps: columns of text that a timestamp reads, whose values are checked too.
        split: the column that names each row's split, if there is one; it does not become part of the examples.
        copied: columns that predictions are given with.
        row_ids: whether each example gets the id of its row, as the column `ROW_ID_COLUMN`.
    """

    columns: dict[str, Dtype]
    readers: dict[str, str]
    label: Label | None = None
    timestamps: tuple[str, ...] = ()
    split: str | None = None
    copied: tuple[str, ...] = ()
    row_ids: bool = False

    @classmethod
    def of(cls, table: FeatureTable, split: str | None = None) -> RawColumns:
        """The raw columns of this table, and the one that names the split."""
        columns, readers = table.columns, _readers(table)
        if table.weight is not None:
            readers.setdefault(table.weight, "the example weight")
        readers.update(dict.fromkeys(table.label.columns, "the label"))
        if split is not None:
            columns[split], readers[split] = "string", "data.split_column"
        return cls(columns=columns, readers=readers, label=table.label, timestamps=_timestamps(table), split=split)

    @classmethod
    def to_predict(cls, table: FeatureTable, copied: Sequence[str] = ()) -> RawColumns:
        """The raw columns of rows to predict for: what the features read, and those that predictions are given with.

        Columns that no feature reads are copied as text, as they stand in the data.
        """
        readers = {**dict.fromkeys(copied, "inference.id_columns"), **_readers(table)}
        columns: dict[str, Dtype] = {**dict.fromkeys(copied, "string"), **table.inputs}
        return cls(columns=columns, readers=readers, timestamps=_timestamps(table), copied=tuple(copied), row_ids=True)


def _readers(table: FeatureTable) -> dict[str, str]:
    readers: dict[str, str] = {}
    for name, feature in table.features.items():
        if not isinstance(feature, Cross):
            readers.setdefault(feature.column or name, f"feature {name!r}")
    return readers


def _timestamps(table: FeatureTable) -> tuple[str, ...]:
    found = {
        feature.column or name
        for name, feature in table.features.items()
        if isinstance(feature, Timestamp) and feature.dtype == "string"
    }
    return tuple(sorted(found))
