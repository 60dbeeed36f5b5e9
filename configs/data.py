"""Settings of the data: where rows come from and how they are split."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from configs.query import Query
from configs.section import DottedPath, Location, Section
from schemas.errors import PlacedValueError

_SPLIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_MAX_BUCKETS = 10_000

Source = Literal["csv", "tfrecord", "parquet", "arrow", "orc", "jsonl", "avro"]
"""Format of the data's files."""
Database = Literal["sql", "bigquery"]
"""Where a query reads instead."""
_OF_BIGQUERY = ("project", "location", "maximum_bytes_billed")


def _separates(delimiter: str) -> str:
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0':
        raise ValueError("must be one ASCII character that is neither a double quote nor the end of a line")
    return delimiter


Delimiter = Annotated[str, AfterValidator(_separates)]
"""The character between two cells of CSV."""


class Data(Section):
    """Where rows come from and how they are split."""

    source: Source | Database = Field(
        "csv",
        description="Format of the files; tfrecord: TFRecords of tf.Example; arrow: Feather, too; jsonl: a JSON "
        "object a line. Or a database: sql (PostgreSQL, MySQL, MariaDB), bigquery.",
    )
    path: Location | None = Field(
        None,
        description="File, folder (every file in it with a suffix of the format), glob, or a pattern with "
        "{SPAN}, {VERSION} or {YYYY}-{MM}-{DD}. package:NAME/FILE is a file inside an installed package; s3://, gs:// "
        "and hdfs:// are read where they are.",
    )
    query: Query | None = Field(None, description="What is read from a database, instead of path.")
    prepare: DottedPath | None = Field(
        None,
        description="Dotted path of a function that turns the file or folder of path into files of source, once; "
        "components.example_gen.prepared says how to write one.",
    )
    delimiter: Delimiter = Field(",", description="The character between two cells, such as , or ; or a tab.")
    missing_values: tuple[str, ...] = Field(("",), description="Texts that stand for a missing value.")
    splits: dict[str, int] = Field(
        {"train": 2, "eval": 1},
        description="Hash buckets of each split: 2 and 1 give two thirds and one third of the rows.",
    )
    split_column: str | None = Field(
        None,
        description="Column that names the split of each row, rather than its hash; splits then lists the names, and "
        "the numbers of buckets do not count.",
    )
    span: int | None = Field(None, ge=0, description="The span to read, for a pattern with one; default: the newest.")
    unlabelled: Literal["refuse", "drop"] = Field(
        "refuse",
        description="What to do with rows whose label columns are empty; dropped rows are counted and reported.",
    )
    max_rejected_fraction: float = Field(
        0.0,
        ge=0.0,
        lt=1.0,
        description="Share of the rows that may be left out because something is wrong with them; they are listed in "
        "rejected.jsonl, with file, line and reason. More of them stop the run.",
    )
    block_bytes: int = Field(
        16 << 20,
        ge=64 << 10,
        description="Bytes of a file, or of small files together, that become one shard of each split: what one "
        "process works on. A quarter of it, at most 4 MiB, but 8 KiB a column at least, is in memory at a time. A "
        "packed file is never parted.",
    )

    @property
    def files(self) -> Source:
        """Format of the files that ExampleGen reads; what a query gives is kept as Parquet."""
        return "parquet" if self.source == "sql" or self.source == "bigquery" else self.source

    @model_validator(mode="after")
    def _path_or_query(self) -> Data:
        if self.files == self.source:
            if self.query is not None:
                raise PlacedValueError(
                    "is for the sources sql and bigquery", ("query",), received=f"data.source: {self.source}"
                )
            if self.path is None:
                raise PlacedValueError(
                    "must name the data: a file, a folder, a glob or a pattern; only the sources sql and bigquery have "
                    "data.query instead",
                    ("path",),
                )
            return self
        if self.path is not None:
            raise PlacedValueError(f"must be left out: the source {self.source} has data.query instead", ("path",))
        if self.prepare is not None:
            raise PlacedValueError("must be left out: the query says what its rows are", ("prepare",))
        if self.query is None:
            raise PlacedValueError(f"must be given for the source {self.source}", ("query",))
        if (self.query.url is None) == (self.source == "sql"):
            raise PlacedValueError(
                "must name the database of the source sql, and be left out for bigquery", ("query", "url")
            )
        for name in _OF_BIGQUERY if self.source == "sql" else ():
            if getattr(self.query, name) is not None:
                raise PlacedValueError("is for the source bigquery", ("query", name))
        return self

    @model_validator(mode="after")
    def _of_its_source(self) -> Data:
        if self.source != "csv" and "delimiter" in self.model_fields_set and self.delimiter != ",":
            raise PlacedValueError(f"is for CSV; {self.source} has no cells to part", ("delimiter",))
        if self.prepare and self.path and "://" in self.path.removeprefix("file://"):
            raise PlacedValueError("reads files of this machine; mount or copy those of data.path", ("prepare",))
        return self

    @field_validator("splits")
    @classmethod
    def _has_both(cls, splits: dict[str, int]) -> dict[str, int]:
        if not {"train", "eval"} <= set(splits):
            raise ValueError("must name at least the splits train and eval")
        if any(buckets < 1 for buckets in splits.values()):
            raise ValueError("every split needs at least one hash bucket")
        for name in splits:
            if not _SPLIT.fullmatch(name):
                raise ValueError(
                    f"{name!r} cannot name a split: use letters, digits, - and _, first a letter or a digit"
                )
        if sum(splits.values()) > _MAX_BUCKETS:
            raise ValueError(f"must have at most {_MAX_BUCKETS} hash buckets together; only their ratio counts")
        return splits
