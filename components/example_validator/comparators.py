"""Thresholds of drift and skew, as the comparators of a TFDV schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2

Measure = Literal["jensen_shannon_divergence", "infinity_norm"]


@dataclass(frozen=True)
class Threshold:
    """How far a column may be from what it is compared with.

    Attributes:
        value: the threshold.
        measure: field of TFDV's FeatureComparator.
        named: whether the settings name the column; else a comparator that the schema has already counts.
    """

    value: float
    measure: Measure = "jensen_shannon_divergence"
    named: bool = True


@dataclass(frozen=True)
class Comparisons:
    """What is compared with the span before, and with the rows of serving: thresholds by column.

    Attributes:
        drift: from the span before.
        skew: from serving.
    """

    drift: Mapping[str, Threshold] = field(default_factory=dict)
    skew: Mapping[str, Threshold] = field(default_factory=dict)

    def to_json(self) -> str:
        """As text that is equal for equal comparisons."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Comparisons:
        """The inverse of `to_json`."""
        given = json.loads(text)
        return cls(*({name: Threshold(**one) for name, one in given[kind].items()} for kind in ("drift", "skew")))


def with_comparators(schema: schema_pb2.Schema, comparisons: Comparisons) -> schema_pb2.Schema:
    """A copy of a schema that has these comparators, and its own where the settings do not name the column."""
    copy = schema_pb2.Schema()
    copy.CopyFrom(schema)
    for feature in copy.feature:
        for kind, thresholds in (("drift_comparator", comparisons.drift), ("skew_comparator", comparisons.skew)):
            threshold = thresholds.get(feature.name)
            if threshold is None or (feature.HasField(kind) and not threshold.named):
                continue
            feature.ClearField(kind)
            getattr(getattr(feature, kind), threshold.measure).threshold = threshold.value
    return copy


def compares(schema: schema_pb2.Schema, kind: Literal["drift_comparator", "skew_comparator"]) -> bool:
    """Whether a schema has comparators of its own."""
    return any(feature.HasField(kind) for feature in schema.feature)


def name_spans(anomalies: anomalies_pb2.Anomalies, current: str, previous: str) -> None:
    """Says of what came from comparing two spans which ones they were.

    Args:
        anomalies: are changed.
        current: the span in words.
        previous: the span before, in words.
    """
    for info in anomalies.anomaly_info.values():
        for told in (info, *info.reason):
            told.description = _named(told.description, current, previous)


def _named(text: Any, current: str, previous: str) -> str:
    named = str(text).replace("between current and previous", f"between {current} and {previous}, the one before,")
    return named.replace("previous data is missing", f"The column is not in {previous}, the span before")
