"""What ingestion needs of the feature table: raw columns, not what becomes of them."""

from __future__ import annotations

from schemas.features import Cross, Dtype, FeatureTable, Label, Spec, Timestamp


class RawColumns(Spec):
    """The raw columns of a feature table.

    It is equal for two tables that read the same columns in the same types, so that changing how a feature is
    transformed does not ingest the data anew.

    Attributes:
        columns: every column that the features, the label and the weight read, with its type.
        readers: for each of them, who reads it, in words for messages.
        label: the label, whose values are checked.
        timestamps: columns of text that a timestamp reads, whose values are checked too.
        split: the column that names each row's split, if there is one; it does not become part of the examples.
    """

    columns: dict[str, Dtype]
    readers: dict[str, str]
    label: Label
    timestamps: tuple[str, ...] = ()
    split: str | None = None

    @classmethod
    def of(cls, table: FeatureTable, split: str | None = None) -> RawColumns:
        """The raw columns of this table, and the one that names the split."""
        columns, readers = table.columns, dict[str, str]()
        for name, feature in table.features.items():
            if not isinstance(feature, Cross):
                readers.setdefault(feature.column or name, f"feature {name!r}")
        if table.weight is not None:
            readers.setdefault(table.weight, "the example weight")
        readers.update(dict.fromkeys(table.label.columns, "the label"))
        if split is not None:
            columns[split], readers[split] = "string", "data.split_column"
        timestamps = {
            feature.column or name
            for name, feature in table.features.items()
            if isinstance(feature, Timestamp) and feature.dtype == "string"
        }
        return cls(
            columns=columns, readers=readers, label=table.label, timestamps=tuple(sorted(timestamps)), split=split
        )
