"""Settings of batch predictions: for which rows, by which model, and what is written."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from configs.data import Data, Delimiter, Source
from configs.section import DottedPath, Location, Section
from schemas.errors import PlacedValueError

ALL_ROWS = "all"
"""The one split of rows to predict for."""
PredictionFormat = Literal["parquet", "csv", "tfrecord"]


class Inference(Section):
    """Batch predictions, which `scalable-tf infer` makes. What is left out of the data's settings is as in data."""

    path: Location | None = Field(
        None, description="The rows to predict for, as data.path has the rows to train on; no label is needed."
    )
    source: Source | None = Field(None, description="Format of the files.")
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

    def data(self, data: Data) -> Data:
        """Where the rows to predict for come from: as the data, but for what is set here, and in one split."""
        source = self.source or data.source
        delimiter = self.delimiter or (data.delimiter if source == "csv" else ",")
        return data.model_copy(
            update={
                "path": self.path or data.path,
                "source": source,
                "prepare": data.prepare if self.prepare is None else self.prepare or None,
                "delimiter": delimiter,
                # The span of other data says nothing of these.
                "span": self.span if self.span is not None or self.path else data.span,
                "splits": {ALL_ROWS: 1},
                "split_column": None,
            }
        )
