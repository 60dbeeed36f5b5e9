"""Settings of batch predictions: for which rows, by which model, and what is written."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from configs.data import Data, Database, Delimiter, Source
from configs.query import Query
from configs.section import DottedPath, Location, Section
from schemas.errors import PlacedValueError

ALL_ROWS = "all"
"""The one split of rows to predict for."""
_DATABASES = get_args(Database)
PredictionFormat = Literal["parquet", "csv", "tfrecord"]


class Inference(Section):
    """Batch predictions, which `scalable-tf infer` makes. What is left out of the data's settings is as in data."""

    path: Location | None = Field(
        None, description="The rows to predict for, as data.path has the rows to train on; no label is needed."
    )
    source: Source | Database | None = Field(None, description="Format of the files, or database of the query.")
    query: Query | None = Field(None, description="What is read from a database, instead of path.")
    prepare: DottedPath | Literal[""] | None = Field(
        None, description="As data.prepare; the empty text: the files are read as they are."
    )
    delimiter: Delimiter | None = Field(None, description="The character between two cells.")
    span: int | None = Field(None, ge=0, description="The span to read, for a pattern with one; default: the newest.")
    model: Location | Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="Version of a release, latest (the newest one), or folder of a SavedModel; default: the model that "
        "was blessed last, of this pipeline and label.",
    )
    signature: str = Field(
        "serving_default",
        min_length=1,
        description="Signature of the model that is called; retrieve: the best candidates of a recommender.",
    )
    outputs: tuple[str, ...] = Field(
        (),
        description="Outputs of the signature that are written, under their own names. Default: all of them; a lone "
        "output predictions becomes the columns that docs/inference.md tells of.",
    )
    id_columns: tuple[str, ...] = Field(
        (), description="Raw columns that are copied to the predictions, besides the row_id that is always there."
    )
    format: PredictionFormat = Field("parquet", description="Of the files that are written.")

    @model_validator(mode="after")
    def _distinct(self) -> Inference:
        for key in ("outputs", "id_columns"):
            names = getattr(self, key)
            for place, name in enumerate(names):
                if name in names[:place]:
                    raise PlacedValueError("is listed already", (key, place), received=name)
        return self

    @model_validator(mode="after")
    def _path_or_query(self) -> Inference:
        if self.path is not None and self.query is not None:
            raise PlacedValueError("must be left out where query says what is read", ("path",))
        if self.path is not None and self.source in _DATABASES:
            raise PlacedValueError("is a database, which has a query rather than a path", ("source",))
        if self.query is not None and self.source is not None and self.source not in _DATABASES:
            raise PlacedValueError("is a format of files; a query needs sql or bigquery", ("source",))
        return self

    def data(self, data: Data) -> Data:
        """Where the rows to predict for come from: as the data, but for what is set here, and in one split."""
        other = self.path is not None or self.query is not None
        source = self.source or data.source
        if self.source is None and other and (source in _DATABASES) != (self.query is not None):
            source = "csv" if self.query is None else "sql"
        prepare = data.prepare if self.prepare is None else self.prepare
        return data.model_copy(
            update={
                "path": self.path if other else data.path,
                "query": self.query if other else data.query,
                "source": source,
                "prepare": prepare if prepare and source not in _DATABASES else None,
                "delimiter": self.delimiter or (data.delimiter if source == "csv" else ","),
                # The span of other data says nothing of these.
                "span": self.span if self.span is not None or other else data.span,
                "splits": {ALL_ROWS: 1},
                "split_column": None,
            }
        )
