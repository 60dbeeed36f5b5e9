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
    """

    columns: dict[str, Dtype]
    readers: dict[str, str]
    label: Label
    timestamps: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: FeatureTable) -> RawColumns:
        """The raw columns of this table."""
        readers: dict[str, str] = {}
        for name, feature in table.features.items():
            if not isinstance(feature, Cross):
                readers.setdefault(feature.column or name, f"feature {name!r}")
        if table.weight is not None:
            readers.setdefault(table.weight, "the example weight")
        readers.update(dict.fromkeys(table.label.columns, "the label"))
        timestamps = {
            feature.column or name
            for name, feature in table.features.items()
            if isinstance(feature, Timestamp) and feature.dtype == "string"
        }
        return cls(columns=table.columns, readers=readers, label=table.label, timestamps=tuple(sorted(timestamps)))
