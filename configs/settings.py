"""The settings: the one object through which configuration travels, from the YAML file to every process of a run.

`configs.load.load_settings` makes it from files, overlays and `--set`; nothing else in the product reads YAML, and
nothing but the process edge reads the environment. Fields marked `Location` and secrets may hold `${NAME}`; no
other field may.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from configs.engine import Engine
from configs.secret import SecretUrl
from configs.section import Location, Section
from configs.store_url import parse_store_url
from configs.towers import Towers
from configs.training import Training
from schemas.errors import PlacedValueError
from schemas.features import BinaryLabel, Categorical, Feature, FeatureTable, Integer, Label, NumericLabel

_SPLIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_MAX_BUCKETS = 10_000
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


def _dotted_path(value: str) -> str:
    if not _DOTTED.fullmatch(value):
        raise ValueError("must be a dotted path to a function, such as models.run_fn.run_fn")
    return value


Source = Literal["csv", "tfrecord", "parquet", "arrow", "orc"]
"""Format of the data's files."""


class Data(Section):
    """Where rows come from and how they are split."""

    source: Source = Field(
        "csv",
        description="Format of the files; tfrecord: TFRecords of tf.Example; arrow: Feather, too.",
    )
    path: Location = Field(
        description="File, folder (every file in it with a suffix of the format), glob, or a pattern with "
        "{SPAN}, {VERSION} or {YYYY}-{MM}-{DD}. package:NAME/FILE is a file inside an installed package."
    )
    prepare: str | None = Field(
        None,
        description="Dotted path of a function that turns the file or folder of path into files of source, once; "
        "components.example_gen.prepared says how to write one.",
    )
    delimiter: str = Field(",", description="The character between two cells, such as , or ; or a tab.")
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

    block_bytes: int = Field(
        16 << 20,
        ge=64 << 10,
        description="Bytes of a file, or of small files together, that become one shard of each split: what one "
        "process works on. A quarter of it, at most 4 MiB, but 8 KiB a column at least, is in memory at a time. A "
        "packed file is never parted.",
    )

    @model_validator(mode="after")
    def _of_its_source(self) -> Data:
        if self.source != "csv" and "delimiter" in self.model_fields_set and self.delimiter != ",":
            raise PlacedValueError(f"is for CSV; {self.source} has no cells to part", ("delimiter",))
        return self

    @field_validator("prepare")
    @classmethod
    def _dotted(cls, prepare: str | None) -> str | None:
        return None if prepare is None else _dotted_path(prepare)

    @field_validator("delimiter")
    @classmethod
    def _separates(cls, delimiter: str) -> str:
        if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0':
            raise ValueError("must be one ASCII character that is neither a double quote nor the end of a line")
        return delimiter

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


class CuratedSchema(Section):
    """The reviewed TFDV schema that data is held to; without one, each run infers its own."""

    path: Location | None = Field(None, description="A .pbtxt file; package:NAME/FILE is one inside a package.")


class Allowed(Section):
    """Anomalies that do not stop a run."""

    feature: str
    kinds: tuple[str, ...] = Field(
        (), description="TFDV's anomaly types, such as SCHEMA_NEW_COLUMN; empty: all of them."
    )


class Validation(Section):
    """What AnomalyGate does with the anomalies that ExampleValidator finds."""

    fail_at: Literal["warning", "error", "never"] = "error"
    allow: tuple[Allowed, ...] = ()
    samples: int = Field(5, ge=0, description="Offending values shown for each anomaly.")


class Transform(Section):
    """The function that turns raw columns into model inputs."""

    preprocessing_fn: str = "transforms.preprocessing.preprocessing_fn"
    materialize: bool = Field(
        True,
        description="Write the transformed examples; else the Trainer applies the transform to the raw ones as it "
        "reads them, which saves their disk space and costs each training the work.",
    )
    statistics: bool = Field(False, description="Also compute TFDV statistics before and after Transform (slower).")

    _dotted = field_validator("preprocessing_fn")(_dotted_path)


class Pictures(Section):
    """How pictures become vectors."""

    filters: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (32, 64, 128), min_length=1, description="Channels of the first convolution, then of each block."
    )
    flip: bool = Field(False, description="Mirror half of the pictures left to right while training.")
    shift: int = Field(0, ge=0, description="Most pixels by which pictures are moved while training.")


class Model(Section):
    """What is trained."""

    run_fn: str = Field("models.run_fn.run_fn", description="Dotted path of the function that trains and exports.")
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

    _dotted = field_validator("run_fn")(_dotted_path)


class ValueThreshold(Section):
    """Bounds that a metric must keep to on every run."""

    lower: float | None = None
    upper: float | None = None

    @model_validator(mode="after")
    def _bounded(self) -> ValueThreshold:
        if self.lower is None and self.upper is None:
            raise ValueError("give lower, upper or both")
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise ValueError("lower is above upper: no value could pass")
        return self


class ChangeThreshold(Section):
    """How much worse than the latest blessed model's a metric may be; where both are given, both must hold.

    Worse is lower for auc, accuracy, precision and recall, and higher for loss and the errors; the other metrics have
    no better side, and take value thresholds only.
    """

    absolute: float | None = Field(
        None, ge=0.0, description="The metric may be worse than the baseline's by at most this; 0: not worse at all."
    )
    relative: float | None = Field(None, ge=0.0, description="The same as a fraction of the baseline's value.")

    @model_validator(mode="after")
    def _bounded(self) -> ChangeThreshold:
        if self.absolute is None and self.relative is None:
            raise ValueError("give absolute, relative or both")
        return self


MetricName = Literal[
    "auc", "auc_precision_recall", "accuracy", "precision", "recall", "loss", "calibration",
    "mean_label", "mean_prediction", "confusion_matrix", "mean_squared_error", "mean_absolute_error",
]  # fmt: skip
_FRACTIONS: frozenset[MetricName] = frozenset({"auc", "auc_precision_recall", "accuracy", "precision", "recall"})
_ERRORS: frozenset[MetricName] = frozenset({"loss", "mean_squared_error", "mean_absolute_error"})


class Evaluation(Section):
    """What decides whether a model is blessed."""

    metrics: tuple[MetricName, ...] | None = Field(
        None,
        description="Default: by the label; auc, accuracy, precision, recall, loss, calibration, ... for yes/no.",
    )
    confusion_thresholds: tuple[Annotated[float, Field(ge=0.0, le=1.0)], ...] = (0.25, 0.5, 0.75)
    thresholds: dict[MetricName, ValueThreshold] = {}
    change_thresholds: dict[MetricName, ChangeThreshold] = {}
    slices: tuple[tuple[str, ...], ...] = Field((), description="Raw columns to slice by, each entry one combination.")
    split: str = Field("eval", description="Split on which the model is judged, e.g. a third one, test.")
    baseline: bool = Field(True, description="Compare with the latest blessed model when there is one.")

    @model_validator(mode="after")
    def _reachable(self) -> Evaluation:
        for name, threshold in self.thresholds.items():
            for side, bound in (("lower", threshold.lower), ("upper", threshold.upper)):
                place = ("thresholds", name, side)
                if bound is not None and name in _FRACTIONS and not 0.0 <= bound <= 1.0:
                    raise PlacedValueError(f"must be within 0 and 1, as every {name} is", place)
                if side == "upper" and bound is not None and name in _ERRORS and bound < 0.0:
                    raise PlacedValueError(f"must not be negative: no {name} could pass", place)
        return self

    @model_validator(mode="after")
    def _distinct_slices(self) -> Evaluation:
        for place, columns in enumerate(self.slices):
            if not columns or len(set(columns)) < len(columns):
                raise PlacedValueError("must list one or more different columns", ("slices", place))
            if set(columns) in map(set, self.slices[:place]):
                raise PlacedValueError("is the same combination as an earlier one", ("slices", place))
        return self

    @model_validator(mode="after")
    def _has_threshold(self) -> Evaluation:
        if not self.thresholds and not self.change_thresholds:
            raise ValueError(
                "has no threshold, so the evaluator could neither bless nor refuse a model; "
                "set thresholds or change_thresholds, e.g. thresholds: {auc: {lower: 0.6}}"
            )
        return self


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

    kind: Literal["local"] = "local"
    cache: bool = Field(True, description="Reuse the outputs of a node whose inputs, settings and code are unchanged.")
    parallel_nodes: int = Field(2, ge=1, description="Nodes that may run at the same time.")


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

    name: str = Field(pattern=r"^[a-z]([a-z0-9_-]{0,61}[a-z0-9])?$", description="Name of the pipeline.")
    output_dir: Location = Field(description="Everything a run writes is under it.")
    data: Data
    curated_schema: CuratedSchema = Field(CuratedSchema(), alias="schema")
    features: dict[str, Feature]
    label: Label
    example_weight: str | None = Field(None, description="Raw column with the weight of each example.")
    validation: Validation = Validation()
    transform: Transform = Transform()
    model: Model = Model()
    training: Training = Training()
    evaluation: Evaluation
    push: Push = Push()
    runner: Runner = Runner()
    engine: Engine = Engine()
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
