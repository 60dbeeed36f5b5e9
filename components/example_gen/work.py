"""What all blocks of an ingestion have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from components.example_gen.csv_blocks import BLOCK_BYTES
from components.example_gen.report import Report
from components.example_gen.values import ValueType
from schemas.features import Dtype, Label


@dataclass(frozen=True)
class Work:
    """How blocks become shards.

    Args:
        folders: folder of each split, by its name.
        buckets: hash buckets of each split, in the same order.
        declared: types that columns must have.
        types: types assumed for all other columns.
        label: the label of the feature table; None of rows that have none.
        timestamps: columns of text that must hold timestamps.
        drop_unlabelled: drop rows without a label, rather than report them.
        delimiter: between fields.
        missing: texts that stand for a missing value, beside the empty text.
        split_column: names each row's split; default: the hash of the row decides.
        block_bytes: how large blocks are, which decides how much of one is in memory at a time.
        copied: columns that predictions are given with.
        row_ids: what is left out of the files' paths in row ids, their common folder; None: rows get no id.
        max_rejected_fraction: share of the rows that may be left out because something is wrong with them.
    """

    folders: Mapping[str, str]
    buckets: tuple[int, ...]
    declared: Mapping[str, Dtype]
    types: Mapping[str, ValueType]
    label: Label | None
    drop_unlabelled: bool
    delimiter: str
    missing: tuple[str, ...]
    timestamps: tuple[str, ...] = ()
    split_column: str | None = None
    block_bytes: int = BLOCK_BYTES
    copied: tuple[str, ...] = ()
    row_ids: str | None = None
    max_rejected_fraction: float = 0.0

    @property
    def texts(self) -> frozenset[str]:
        """Columns that must hold UTF-8 text rather than bytes."""
        label = {} if self.label is None else self.label.columns
        texts = {name for name in (*label, *self.copied) if {**label, **self.declared}[name] == "string"}
        return frozenset(texts.union(self.timestamps, filter(None, [self.split_column])))

    def wants(self, report: Report) -> bool:
        """Whether shards of which this is reported, of some rows or of all, are what the run is to give.

        They are not when more was found wrong than may be, or when they need wider types than were assumed.
        """
        assumed = all(kind == self.types.get(name, "none") for name, kind in report.types.items())
        return assumed and not report.error and (not report.rejected or self.max_rejected_fraction > 0.0)

    def accepts(self, report: Report) -> bool:
        """Whether no more is wrong with the rows, of which this is the whole report, than may be."""
        return not report.error and report.rejected_fraction <= self.max_rejected_fraction
