"""What ingestion needs of the feature table: raw columns, not what becomes of them."""

from __future__ import annotations

from schemas.features import Cross, Dtype, FeatureTable, Label, Spec


class RawColumns(Spec):
    """The raw columns of a feature table.

    It is equal for two tables that read the same columns in the same types, so that changing how a feature is
    transformed does not ingest the data anew.

    Attributes:
        columns: every column that the features, the label and the weight read, with its type.
        readers: for each of them, who reads it, in words for messages.
        label: the label, whose values are checked.
    """

    columns: dict[str, Dtype]
    readers: dict[str, str]
    label: Label

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
        return cls(columns=table.columns, readers=readers, label=table.label)
