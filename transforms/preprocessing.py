"""The function that Transform traces: every feature of the table, the label and the weight, from raw columns."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from difflib import get_close_matches
from typing import Any

import tensorflow as tf

from schemas.errors import SchemaError
from schemas.features import (
    LABEL,
    WEIGHT,
    Bucketized,
    Categorical,
    Cross,
    FeatureTable,
    Hashed,
    Image,
    Integer,
    Numeric,
    Passthrough,
    Text,
    Timestamp,
)
from schemas.transformed import transformed_name
from transforms.bucketized import bucketized
from transforms.categorical import categorical
from transforms.column import Column
from transforms.cross import cross
from transforms.hashed import hashed
from transforms.image import image
from transforms.integer import integer
from transforms.label import label
from transforms.numeric import numeric
from transforms.passthrough import passthrough
from transforms.registry import Registry
from transforms.statistics import answer
from transforms.text import text
from transforms.timestamp import timestamp
from transforms.weight import weight

Outputs = dict[str, tf.Tensor]

KINDS = Registry(
    [
        (Bucketized, bucketized),
        (Categorical, categorical),
        (Cross, cross),
        (Hashed, hashed),
        (Image, image),
        (Integer, integer),
        (Numeric, numeric),
        (Passthrough, passthrough),
        (Text, text),
        (Timestamp, timestamp),
    ]
)


@tf.autograph.experimental.do_not_convert
def preprocessing_fn(inputs: Mapping[str, tf.Tensor | tf.SparseTensor], custom_config: Mapping[str, Any]) -> Outputs:
    """Model inputs, label and weight, as the feature table says.

    Every statistic of the training split is computed in one pass. No feature depends on the label's or the weight's
    column, so that serving needs neither.

    Args:
        inputs: raw columns by name, sparse or dense, at most one value a row.
        custom_config: `features`: the feature table, as `FeatureTable.model_dump(mode="json")` gives it. Other keys are
            left alone.

    Returns:
        Tensors by name as `schemas.transformed` says: each feature under `transformed_name`, the label under LABEL_KEY
        and, where the table names a weight, WEIGHT_KEY.

    Raises:
        SchemaError: a column of the table is not in `inputs`, or is text where the table has numbers.
    """
    table = FeatureTable.model_validate(custom_config["features"])
    columns = _Columns(inputs, table)
    outputs = _Outputs()
    waiting: list[tuple[str, Generator[Any, Any, Outputs], Any]] = []
    for name, spec in table.features.items():
        if isinstance(spec, Cross):
            continue
        made = KINDS[type(spec)](columns.read(spec.column or name, f"features.{name}"), spec, name)
        if isinstance(made, dict):
            outputs.add(name, made)
            continue
        question, finished = _sent(made, None)
        if finished is None:
            waiting.append((name, made, question))
        else:
            outputs.add(name, finished)
    for (name, steps, _), reply in zip(waiting, answer([question for *_, question in waiting]), strict=True):
        outputs.add(name, _finished(steps, reply))
    for name, spec in table.features.items():
        if isinstance(spec, Cross):
            outputs.add(name, KINDS[Cross]([outputs.made[transformed_name(part)] for part in spec.of], spec, name))
    outputs.add(LABEL, label({name: columns.read(name, LABEL) for name in table.label.columns}, table.label))
    if table.weight is not None:
        outputs.add(WEIGHT, weight(columns.read(table.weight, WEIGHT)))
    return outputs.made


class _Outputs:
    """Everything made so far; two features must not make the same key."""

    def __init__(self) -> None:
        self.made: Outputs = {}
        self._makers: dict[str, str] = {}

    def add(self, name: str, outputs: Outputs) -> None:
        for key, tensor in outputs.items():
            if key in self.made:
                raise SchemaError(
                    f"Two features make the model input {key!r}.",
                    where=f"features.{name}",
                    received=f"{self._makers[key]} and {name}",
                    fix="Give one of them another name, and set its column.",
                )
            self.made[key] = tensor
            self._makers[key] = name


class _Columns:
    """Dense columns, each made once however many features read it."""

    def __init__(self, inputs: Mapping[str, Any], table: FeatureTable) -> None:
        self._inputs = inputs
        self._dtypes = table.columns
        self._made: dict[str, Column] = {}

    def read(self, column: str, reader: str) -> Column:
        if column not in self._inputs:
            near = get_close_matches(column, list(self._inputs), n=1)
            raise SchemaError(
                f"The data has no column {column!r}.",
                where=reader,
                received=", ".join(sorted(self._inputs)),
                fix=f"Did you mean {near[0]!r}?" if near else "Name an existing column, or remove the feature.",
            )
        if column not in self._made:
            try:
                self._made[column] = Column(self._inputs[column], self._dtypes[column])
            except SchemaError as error:
                raise SchemaError(
                    error.what, where=f"{reader}, column {column!r}", received=error.received, fix=error.fix
                ) from error
        return self._made[column]


def _sent(steps: Generator[Any, Any, Outputs], reply: Any) -> tuple[Any, Outputs | None]:
    """The next question and None, or None and the outputs."""
    try:
        return steps.send(reply), None
    except StopIteration as done:
        return None, done.value


def _finished(steps: Generator[Any, Any, Outputs], reply: Any) -> Outputs:
    _, outputs = _sent(steps, reply)
    if outputs is None:
        raise RuntimeError("A feature may ask for statistics once: all of them come from one pass over the data.")
    return outputs
