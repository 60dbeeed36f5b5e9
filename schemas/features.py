"""The feature table: the one list of features that everything else is derived from.

From it come the columns that ingestion expects and their types, preprocessing_fn, the model's inputs, the parsing spec
of raw examples, the slices that evaluation may use and the request example for serving. Nothing repeats it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from schemas.errors import PlacedValueError, SchemaError
from schemas.expression import Expression
from schemas.request import indistinct

Dtype = Literal["float", "int", "string"]
"""Type of a raw column: float32, int64 or bytes once it is in a tf.Example."""


class Spec(BaseModel):
    """What every entry of the table has in common: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ColumnSpec(Spec):
    """An entry that reads one raw column, by default the column of its own name."""

    column: str | None = Field(None, description="Raw column; default: the feature's own name.")


class Numeric(ColumnSpec):
    """A number, scaled. Missing values take `fill`, which is applied before scaling."""

    kind: Literal["numeric"]
    dtype: Literal["float", "int"] = "float"
    log: bool = Field(False, description="log(1 + max(x, 0)) before scaling, for long-tailed amounts.")
    scale: Literal["z_score", "min_max", "none"] = "z_score"
    fill: float | None = Field(None, description="Value for a missing number; default: the training mean.")
    missing_indicator: bool = Field(False, description="Adds an input that is 1.0 where the value was missing.")


class Bucketized(ColumnSpec):
    """A number turned into the index of its bucket; a missing number has a bucket of its own (the last)."""

    kind: Literal["bucketized"]
    dtype: Literal["float", "int"] = "float"
    buckets: int | None = Field(None, ge=2, description="Number of quantile buckets.")
    boundaries: tuple[float, ...] | None = Field(None, description="Given boundaries, strictly increasing.")

    @model_validator(mode="after")
    def _one_way(self) -> Bucketized:
        if (self.buckets is None) == (self.boundaries is None):
            raise ValueError("give either buckets (quantiles) or boundaries")
        if self.boundaries is not None:
            pairs = zip(self.boundaries, self.boundaries[1:], strict=False)
            if not self.boundaries or any(a >= b for a, b in pairs):
                raise ValueError("boundaries must be a non-empty, strictly increasing list")
        return self


class Categorical(ColumnSpec):
    """A value looked up in a vocabulary made from the training split; the rest goes to out-of-vocabulary buckets."""

    kind: Literal["categorical"]
    dtype: Literal["string", "int"] = "string"
    top_k: int | None = Field(None, ge=1, description="Keep the most frequent values only.")
    min_frequency: int | None = Field(None, ge=1, description="Keep values seen at least so often.")
    oov_buckets: int = Field(1, ge=1)


class Hashed(ColumnSpec):
    """A value hashed into a fixed number of buckets; needs no pass over the data."""

    kind: Literal["hashed"]
    dtype: Literal["string", "int"] = "string"
    buckets: int = Field(ge=2)


class Integer(ColumnSpec):
    """A small whole number used as a category as it is: 0 <= x < size; anything else, and missing, becomes size."""

    kind: Literal["integer"]
    size: int = Field(ge=1)


class Cross(Spec):
    """The cross of two or more columns, hashed into buckets. Numbers must be crossed by their bucketized feature."""

    kind: Literal["cross"]
    of: tuple[str, ...] = Field(min_length=2, description="Categorical, hashed, integer or bucketized features.")
    buckets: int = Field(ge=2)


class Timestamp(ColumnSpec):
    """A moment in time (UTC), as sine and cosine of its place in each cycle."""

    kind: Literal["timestamp"]
    dtype: Literal["int", "string"] = "int"
    unit: Literal["s", "ms", "us"] = Field(
        "s", description="Unit of an int column since 1970-01-01; strings are ISO 8601."
    )
    cycles: tuple[Literal["hour_of_day", "day_of_week", "day_of_month", "day_of_year"], ...] = (
        "hour_of_day",
        "day_of_week",
        "day_of_year",
    )


class Text(ColumnSpec):
    """Free text: lower-cased, split on what is not a letter or a digit; n-grams, vocabulary, and a fixed length."""

    kind: Literal["text"]
    ngrams: tuple[int, int] = Field((1, 1), description="Smallest and largest n-gram.")
    top_k: int | None = Field(20_000, ge=1)
    min_frequency: int | None = Field(None, ge=1)
    oov_buckets: int = Field(1, ge=1)
    length: int = Field(128, ge=1, description="Tokens kept a row; shorter rows are padded.")
    weights: Literal["none", "tf_idf"] = Field(
        "none", description="tf_idf adds each token's weight; tokens are then distinct."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Text:
        if not 1 <= self.ngrams[0] <= self.ngrams[1] <= 5:
            raise ValueError("ngrams must be two numbers with 1 <= first <= second <= 5")
        return self


class Image(ColumnSpec):
    """An encoded picture (JPEG, PNG, GIF, BMP), decoded, resized and scaled."""

    kind: Literal["image"]
    height: int = Field(ge=1)
    width: int = Field(ge=1)
    channels: Literal[1, 3] = 3
    scale: Literal["unit", "symmetric", "standardize"] = Field(
        "unit", description="[0, 1], [-1, 1], or per-image z-score."
    )


class Passthrough(ColumnSpec):
    """A number given to the model as it is. Missing values take `fill`."""

    kind: Literal["passthrough"]
    dtype: Literal["float", "int"] = "float"
    fill: float = 0.0


Feature = Annotated[
    Numeric | Bucketized | Categorical | Hashed | Integer | Cross | Timestamp | Text | Image | Passthrough,
    Field(discriminator="kind"),
]


class BinaryLabel(Spec):
    """A yes/no label computed from raw columns, for example `tips > 0.2 * fare`."""

    kind: Literal["binary"]
    expression: str

    @field_validator("expression")
    @classmethod
    def _parses(cls, expression: str) -> str:
        try:
            Expression(expression)
        except SchemaError as error:
            raise ValueError(error.what) from error
        return expression

    @property
    def columns(self) -> dict[str, Dtype]:
        """Raw columns that the label reads; those compared with a quoted string are strings, all others floats."""
        parsed = Expression(self.expression)
        return {name: "string" if name in parsed.string_columns else "float" for name in parsed.columns}


class IntegerLabel(Spec):
    """A class given as a whole number, 0 <= x < classes; the model's target is the number."""

    kind: Literal["integer"]
    column: str
    classes: int = Field(ge=2)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes in the order of the predictions."""
        return tuple(map(str, range(self.classes)))

    @property
    def columns(self) -> dict[str, Dtype]:
        """The one raw column."""
        return {self.column: "int"}


class OneHotLabel(Spec):
    """A class given by name; the names are listed, so that their order never depends on the data."""

    kind: Literal["one_hot"]
    column: str
    classes: tuple[str, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _distinct(self) -> OneHotLabel:
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("classes must be distinct")
        return self

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes in the order of the predictions."""
        return self.classes

    @property
    def columns(self) -> dict[str, Dtype]:
        """The one raw column."""
        return {self.column: "string"}


class NumericLabel(Spec):
    """A number to predict (regression)."""

    kind: Literal["numeric"]
    column: str

    @property
    def columns(self) -> dict[str, Dtype]:
        """The one raw column."""
        return {self.column: "float"}


Label = Annotated[BinaryLabel | IntegerLabel | OneHotLabel | NumericLabel, Field(discriminator="kind")]


CROSSABLE = (Categorical, Hashed, Integer, Bucketized)
"""Kinds whose features are ids, so that a cross can take them."""
LABEL = "label"
"""Key of the label among the transformed features: `label_xf` (see `schemas.transformed`)."""
WEIGHT = "example_weight"
"""Key of the example weight among the transformed features."""


class FeatureTable(Spec):
    """Features by name, the label and, optionally, the column that weighs each example.

    Raises:
        ValueError: (as pydantic collects it) a cross names an unknown or unsuitable feature, two features read one
            column with different types, a feature has a reserved name, a prediction request could not tell two columns
            apart (`schemas.request`), or a feature would read a column that decides the label alone.
    """

    features: dict[str, Feature] = Field(min_length=1)
    label: Label
    weight: str | None = Field(None, description="Raw column with each example's weight.")

    @model_validator(mode="after")
    def _consistent(self) -> FeatureTable:
        for name, spec in self.features.items():
            if name in (LABEL, WEIGHT):
                raise PlacedValueError(
                    f"the name is reserved; give the feature another name and set column: {name}", ("features", name)
                )
            if isinstance(spec, Text) and spec.weights != "none" and f"{name}_weight" in self.features:
                raise PlacedValueError(
                    f"the name is that of the token weights of {name!r}; give the feature another name and set column",
                    ("features", f"{name}_weight"),
                )
            if isinstance(spec, Cross):
                self._check_cross(name, spec)
        _ = self.columns
        self._check_requests()
        # A yes/no label of several columns, such as tips > 0.2 * fare, is not decided by one of them.
        decisive = list(self.label.columns) if len(self.label.columns) == 1 else []
        for name, column, _ in _feature_columns(self.features):
            if column in decisive:
                raise PlacedValueError(
                    f"reads the label's column {column!r}; the model would see the answer", ("features", name)
                )
        return self

    def _check_requests(self) -> None:
        if clash := indistinct(self.inputs):
            reader = next(name for name, column, _ in _feature_columns(self.features) if column == clash[1])
            raise PlacedValueError(
                f"reads the column {clash[1]!r}, which a prediction request cannot tell from {clash[0]!r}; "
                "rename one of the columns in the data",
                ("features", reader),
                received=clash[1],
            )

    def _check_cross(self, name: str, cross: Cross) -> None:
        for part in cross.of:
            if part not in self.features:
                raise PlacedValueError(
                    f"crosses {part!r}, which is not a feature",
                    ("features", name, "of"),
                    known=[other for other, spec in self.features.items() if isinstance(spec, CROSSABLE)],
                    received=part,
                )
            if not isinstance(self.features[part], CROSSABLE):
                raise PlacedValueError(
                    f"crosses {part!r} of kind {self.features[part].kind!r}; "
                    "only categorical, hashed, integer and bucketized features can be crossed",
                    ("features", name, "of"),
                    received=part,
                )

    @property
    def inputs(self) -> dict[str, Dtype]:
        """Raw columns that the features read, with their types: what a prediction request holds."""
        return _merged(_feature_columns(self.features))

    @property
    def columns(self) -> dict[str, Dtype]:
        """Raw columns that training reads: `inputs`, the label's and the weight's."""
        return _merged((*_feature_columns(self.features), *self._target_columns()))

    def _target_columns(self) -> Iterator[tuple[str, str, Dtype]]:
        known = self.inputs
        for column, dtype in self.label.columns.items():
            # A number that a feature already reads as int is read as int: the label's arithmetic casts it.
            shared = known.get(column, dtype)
            yield LABEL, column, shared if {shared, dtype} <= {"int", "float"} else dtype
        if self.weight is not None:
            shared = known.get(self.weight, "float")
            yield WEIGHT, self.weight, shared


def _feature_columns(features: Mapping[str, Feature]) -> tuple[tuple[str, str, Dtype], ...]:
    found: list[tuple[str, str, Dtype]] = []
    for name, spec in features.items():
        if isinstance(spec, Cross):
            continue
        found.append((name, spec.column or name, _dtype(spec)))
    return tuple(found)


def _dtype(
    spec: Numeric | Bucketized | Categorical | Hashed | Integer | Timestamp | Text | Image | Passthrough,
) -> Dtype:
    if isinstance(spec, Integer):
        return "int"
    if isinstance(spec, (Text, Image)):
        return "string"
    return spec.dtype


def _merged(found: tuple[tuple[str, str, Dtype], ...]) -> dict[str, Dtype]:
    columns: dict[str, Dtype] = {}
    readers: dict[str, str] = {}
    for name, column, dtype in found:
        if columns.setdefault(column, dtype) != dtype:
            raise PlacedValueError(
                f"column {column!r} is read as {columns[column]} by {readers[column]!r} and as {dtype} by {name!r}; "
                "give both the same dtype",
                ("features", name) if name not in (LABEL, WEIGHT) else (name,),
            )
        readers.setdefault(column, name)
    return columns
