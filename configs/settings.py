"""The settings: the one object through which configuration travels, from the YAML file to every process of a run.

`configs.load.load_settings` makes it from files, overlays and `--set`; nothing else in the product reads YAML, and
nothing but the process edge reads the environment. Fields marked `Location` and secrets may hold `${NAME}`; no
other field may.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from configs.data import Data
from configs.engine import Engine
from configs.evaluation import Evaluation
from configs.inference import Inference
from configs.kubeflow import Kubeflow
from configs.schedule import Schedule
from configs.secret import SecretUrl
from configs.section import DottedPath, Location, Section, either
from configs.smoke_check import SmokeCheck
from configs.store_url import parse_store_url
from configs.towers import Towers
from configs.training import Training
from configs.window import Window
from schemas.errors import PlacedValueError
from schemas.features import BinaryLabel, Categorical, Feature, FeatureTable, Integer, Label, NumericLabel
from schemas.prediction_columns import ROW_ID, prediction_columns


class CuratedSchema(Section):
    """The reviewed TFDV schema that data is held to; without one, each run infers its own."""

    path: Location | None = Field(None, description="A .pbtxt file; package:NAME/FILE is one inside a package.")


class Allowed(Section):
    """Anomalies that do not stop a run."""

    feature: str
    kinds: tuple[str, ...] = Field(
        (), description="TFDV's anomaly types, such as SCHEMA_NEW_COLUMN; empty: all of them."
    )


Share = Annotated[float, Field(gt=0.0, le=1.0)]
"""A distance between distributions, as a threshold."""


class Distance(Section):
    """How far a column's values may be from those they are compared with, and how that is measured."""

    jensen_shannon_divergence: Share | None = Field(None, description="Of numbers and of categories.")
    infinity_norm: Share | None = Field(None, description="Of categories: the largest change of one's share.")

    @model_validator(mode="after")
    def _one(self) -> Distance:
        if (self.jensen_shannon_divergence is None) == (self.infinity_norm is None):
            raise ValueError("give either jensen_shannon_divergence or infinity_norm")
        return self


EVERY_COLUMN = "*"
"""Stands for all raw columns that a comparison makes sense for."""
_DISTANCE = either(
    "must be a number above 0 and at most 1, or {jensen_shannon_divergence: NUMBER} or {infinity_norm: NUMBER}"
)
Distances = dict[str, Annotated[Share | Distance, _DISTANCE]]
"""Raw column, or `*` for all others: its threshold. A number alone is that of the Jensen-Shannon divergence."""


class Validation(Section):
    """What AnomalyGate does with the anomalies that ExampleValidator finds."""

    fail_at: Literal["warning", "error", "never"] = "error"
    allow: tuple[Allowed, ...] = ()
    samples: int = Field(5, ge=0, description="Offending values shown for each anomaly.")
    drift: Distances = Field(
        {},
        description="How far each column may be from the accepted span before, by its name or * for all; comparators "
        "of the curated schema hold too.",
    )
    skew: Distances = Field({}, description="Likewise: how far from the rows of serving_path.")
    serving_path: Location | None = Field(
        None,
        description="Rows that predictions were made for, in the format of data.path; they need no label. With a "
        "pattern, those of data.span.",
    )

    @model_validator(mode="after")
    def _skew_from_something(self) -> Validation:
        if self.skew and self.serving_path is None:
            raise PlacedValueError("must name the rows that skew is measured from", ("serving_path",))
        return self


class Transform(Section):
    """The function that turns raw columns into model inputs."""

    preprocessing_fn: DottedPath = "transforms.preprocessing.preprocessing_fn"
    materialize: bool = Field(
        True,
        description="Write the transformed examples; else the Trainer applies the transform to the raw ones as it "
        "reads them, which saves their disk space and costs each training the work.",
    )
    statistics: bool = Field(False, description="Also compute TFDV statistics before and after Transform (slower).")


class Pictures(Section):
    """How pictures become vectors."""

    filters: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (32, 64, 128), min_length=1, description="Channels of the first convolution, then of each block."
    )
    flip: bool = Field(False, description="Mirror half of the pictures left to right while training.")
    shift: int = Field(0, ge=0, description="Most pixels by which pictures are moved while training.")


class Model(Section):
    """What is trained."""

    run_fn: DottedPath = Field(
        "models.run_fn.run_fn", description="Dotted path of the function that trains and exports."
    )
    architecture: Literal["wide_deep", "dcn", "two_tower"] = "dcn"
    hidden_units: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (128, 64), description="Units of each dense layer of the deep part."
    )
    cross_layers: int = Field(2, ge=1, description="Cross layers of the DCN-v2.")
    embedding_size: int | None = Field(None, ge=1, description="Default: 6 * size ** 0.25, at most 64.")
    pictures: Pictures = Pictures()
    towers: Towers | None = Field(None, description="For two_tower: which features are the candidate's.")
    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    l2: float = Field(0.0, ge=0.0)


class Push(Section):
    """Where blessed models go: <output_dir>/releases/<model>/<version>."""

    model: str | None = Field(
        None,
        max_length=128,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
        description="Name of the served model; default: name.",
    )
    keep: int | None = Field(
        None, ge=1, description="Versions to keep; the newest blessed one is never deleted. Default: all."
    )


class Runner(Section):
    """Who walks the graph."""

    kind: Literal["local", "beam"] = Field(
        "local", description="local: nodes run beside each other; beam: a Beam pipeline, one node after the other."
    )
    cache: bool = Field(True, description="Reuse the outputs of a node whose inputs, settings and code are unchanged.")
    parallel_nodes: int = Field(2, ge=1, description="Nodes that may run at the same time, by local.")


class Metadata(Section):
    """The ML Metadata store."""

    url: SecretUrl | None = Field(
        None,
        description="Default: SQLite in <output_dir>/metadata. Else sqlite:////path, mysql://user:${PASSWORD}@host/db, "
        "postgresql://user:${PASSWORD}@host/db, grpc://host:port or grpcs://host:port; see docs/metadata.md.",
    )
    retry_seconds: float = Field(
        30.0, ge=0.0, description="How long a store that does not answer is tried again before the run gives up."
    )

    @field_validator("url")
    @classmethod
    def _is_a_store(cls, url: SecretUrl | None) -> SecretUrl | None:
        if url is not None:
            parse_store_url(url)
        return url


class Logging(Section):
    """What goes to the log files in <output_dir>/logs."""

    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(Section):
    """One pipeline.

    Raises:
        ValueError: (pydantic's; `configs.load` turns it into a SettingsError) something is unknown or inconsistent.
    """

    name: str = Field(
        pattern=r"^[a-z]([a-z0-9_-]{0,61}[a-z0-9])?$",
        description="Name of the pipeline, such as taxi or taxi-2: up to 63 lower-case letters, digits, - and _, of "
        "which the first is a letter and the last is neither - nor _; Kubernetes and Kubeflow name things after it.",
    )
    output_dir: Location = Field(description="Everything a run writes is under it.")
    data: Data
    curated_schema: CuratedSchema = Field(CuratedSchema(), alias="schema")
    features: dict[str, Feature]
    label: Label
    example_weight: str | None = Field(None, description="Raw column with the weight of each example.")
    validation: Validation = Validation()
    window: Window = Window()
    transform: Transform = Transform()
    model: Model = Model()
    training: Training = Training()
    evaluation: Evaluation
    smoke_check: SmokeCheck = SmokeCheck()
    push: Push = Push()
    purpose: Literal["training", "inference"] = Field(
        "training",
        description="What a run is for: training leads from data to a released model, inference to predictions of the "
        "blessed one. The commands run and infer set it.",
    )
    inference: Inference = Inference()
    schedule: Schedule = Schedule()
    runner: Runner = Runner()
    engine: Engine = Engine()
    kubeflow: Kubeflow = Kubeflow()
    metadata: Metadata = Metadata()
    logging: Logging = Logging()

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        columns = self.table.columns
        if self.evaluation.split not in self.data.splits:
            raise ValueError(
                f"evaluation.split: {self.evaluation.split!r} is not a split of data.splits {sorted(self.data.splits)}"
            )
        if self.data.split_column in columns:
            raise PlacedValueError(
                "must not be a column that the features, the label or the weight read: it is not kept",
                ("data", "split_column"),
                received=self.data.split_column,
            )
        if self.example_weight is not None and columns[self.example_weight] == "string":
            raise PlacedValueError(
                f"must be a column of numbers, but a feature reads {self.example_weight!r} as text", ("example_weight",)
            )
        if self.training.loss is not None and not isinstance(self.label, NumericLabel):
            raise PlacedValueError(
                f"must be left out for a {self.label.kind} label, which is trained on cross-entropy",
                ("training", "loss"),
            )
        if self.training.parameter_servers and not self.transform.materialize:
            raise PlacedValueError(
                "must be true for parameter servers: their workers read transformed examples",
                ("transform", "materialize"),
            )
        for place, slicing in enumerate(self.evaluation.slices):
            for column in slicing:
                if column not in columns:
                    raise PlacedValueError(
                        f"{column!r} is not a raw column that the features or the label read",
                        ("evaluation", "slices", place),
                        known=columns,
                        received=column,
                    )
        return self

    @model_validator(mode="after")
    def _nothing_shares_a_folder(self) -> Settings:
        if self.kubeflow.root is None:
            return self
        remedy = (
            "with kubeflow.root: only pods that mount a volume share a folder (leave root out, give kubeflow.volumes)"
        )
        if self.training.cluster.launcher == "kubernetes":
            what = f"cannot be kubernetes {remedy}, and the tasks of a training read and write one"
            raise PlacedValueError(what, ("training", "cluster", "launcher"))
        if away := self.engine.elsewhere:
            what = f"cannot be {away}, whose workers are other pods or machines, {remedy}; they read what nodes write"
            raise PlacedValueError(what, ("engine",))
        return self

    @model_validator(mode="after")
    def _compared_columns(self) -> Settings:
        table = self.table
        for setting, columns in (("drift", table.columns), ("skew", table.inputs)):
            for name, distance in getattr(self.validation, setting).items():
                if name != EVERY_COLUMN and name not in columns:
                    of = "features or the label" if setting == "drift" else "features"
                    raise PlacedValueError(
                        f"{name!r} is not a raw column that the {of} read",
                        ("validation", setting, name),
                        known=columns,
                        received=name,
                    )
                is_norm = isinstance(distance, Distance) and distance.infinity_norm is not None
                if is_norm and columns.get(name, "string") != "string":
                    raise PlacedValueError(
                        "is measured of columns of text only: it is the largest change of a value's share",
                        ("validation", setting, name, "infinity_norm"),
                    )
        return self

    @model_validator(mode="after")
    def _distinct_columns_of_predictions(self) -> Settings:
        inference = self.inference
        written = {ROW_ID, *(inference.outputs or prediction_columns(self.label))}
        for place, name in enumerate(inference.id_columns):
            if name in written:
                raise PlacedValueError(
                    "is the name of a column of the predictions; rename it in the data",
                    ("inference", "id_columns", place),
                    received=name,
                )
        return self

    @model_validator(mode="after")
    def _two_towers(self) -> Settings:
        towers = self.model.towers
        if (towers is None) == (self.model.architecture == "two_tower"):
            raise PlacedValueError(
                "must name the candidate's features for the architecture two_tower, and be left out for others",
                ("model", "towers"),
            )
        if towers is None:
            return self
        if not isinstance(self.label, BinaryLabel):
            raise PlacedValueError(
                "must be binary for two towers: whether the query wants the candidate", ("label", "kind")
            )
        place = ("model", "towers", "candidate")
        for number, name in enumerate(towers.candidate):
            if name not in self.features:
                raise PlacedValueError(
                    f"{name!r} is not a feature", (*place, number), known=self.features, received=name
                )
        if not isinstance(self.features[towers.candidate[0]], (Categorical, Integer)):
            raise PlacedValueError(
                "must be a categorical or integer feature, which names the candidate",
                (*place, 0),
                received=towers.candidate[0],
            )
        if set(towers.candidate) == set(self.features):
            raise PlacedValueError("must leave features to the query", place)
        return self

    @property
    def table(self) -> FeatureTable:
        """The feature table."""
        return FeatureTable(features=self.features, label=self.label, weight=self.example_weight)

    @property
    def model_name(self) -> str:
        """Name under which the model is released and served."""
        return self.push.model or self.name

    def dump(self) -> dict[str, Any]:
        """JSON-ready, with the keys of the YAML files; `Settings.model_validate` takes it back."""
        return self.model_dump(mode="json", by_alias=True)
