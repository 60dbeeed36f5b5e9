"""The curated schema with just the changes that the data ask for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from components.example_validator.empty_lists import (
    common_statistics,
    count_empty_as_missing,
    feature_name,
    features_with_empty_lists,
    features_with_values,
    validate,
)
from schemas.compare import DATASET

Statistics = Mapping[str, statistics_pb2.DatasetFeatureStatisticsList]


def inferred_schema(statistics: Statistics) -> schema_pb2.Schema:
    """What SchemaGen infers from all splits, but an empty list is a missing value. No fixed shapes."""
    schema: schema_pb2.Schema | None = None
    emptied: set[str] = set()
    for raw in statistics.values():
        found = count_empty_as_missing(raw)
        emptied |= features_with_empty_lists(raw)
        schema = tfdv.infer_schema(found, False) if schema is None else _loosened(schema, found).schema
    schema = schema if schema is not None else schema_pb2.Schema()
    for feature in schema.feature:
        if feature.name in emptied and feature.value_count.min:
            feature.value_count.ClearField("min")
    return schema


def needed_schema(curated: schema_pb2.Schema, statistics: Statistics, read: Collection[str] = ()) -> schema_pb2.Schema:
    """Loosens the schema until the data have no anomalies: TFDV's `update_schema` for each split, but for three things.

    Where TFDV would mark a feature DEPRECATED, which takes it away from Transform,
    a feature of another type becomes what is inferred from the data, with the remarks it had, and
    a feature without any value may be missing from now on if something reads it; only one that nothing reads is
    deprecated. The bounds on the number of rows, which TFDV leaves alone, move too.

    Args:
        curated: is not changed.
        statistics: statistics of each split.
        read: columns that the feature table reads.
    """
    schema = curated
    filled: set[str] = set()
    gone: set[str] = set()
    retyped: set[str] = set()
    for raw in statistics.values():
        found = count_empty_as_missing(raw, features_with_values(schema))
        loosened = _loosened(schema, found)
        schema = loosened.schema
        filled |= _filled(found)
        gone |= loosened.gone
        retyped |= loosened.retyped
    before = {feature.name: feature for feature in curated.feature}
    inferred, parts = _Parts(inferred_schema(statistics)), _Parts(schema)
    emptied = {name for raw in statistics.values() for name in features_with_empty_lists(raw)}
    unread = gone - filled - set(read)
    for feature in schema.feature:
        old = before.get(feature.name)
        if old is None or feature.name in retyped:
            parts.take(feature.name, inferred, remarks=old)
        elif feature.name in unread:
            feature.CopyFrom(old)
            feature.lifecycle_stage = schema_pb2.DEPRECATED
        elif feature.name in emptied and feature.presence != old.presence and feature.value_count.min:
            # What may be missing is an empty list, to ExampleValidator, so the list may be empty.
            feature.value_count.ClearField("min")
    return schema


@dataclass(frozen=True)
class _Loosened:
    schema: schema_pb2.Schema
    gone: set[str]
    retyped: set[str]


def _loosened(schema: schema_pb2.Schema, found: statistics_pb2.DatasetFeatureStatisticsList) -> _Loosened:
    """TFDV's update without its deprecations: those features are named, and may be missing."""
    gone: set[str] = set()
    retyped: set[str] = set()
    if not _rows(found):
        return _Loosened(schema, gone, retyped)  # nothing can be learned from a split without rows
    updated = tfdv.update_schema(schema, found)
    before = {feature.name: feature for feature in schema.feature}
    filled = _filled(found)
    for feature in updated.feature:
        old = before.get(feature.name)
        if old is None or feature.lifecycle_stage == old.lifecycle_stage:
            continue
        feature.CopyFrom(old)
        if feature.name in filled:
            retyped.add(feature.name)
        else:
            feature.ClearField("presence")
            gone.add(feature.name)
    bounds, rows = updated.dataset_constraints, _rows(found)
    if bounds.HasField("min_examples_count") and rows < bounds.min_examples_count:
        bounds.min_examples_count = rows
    if bounds.HasField("max_examples_count") and rows > bounds.max_examples_count:
        bounds.max_examples_count = rows
    return _Loosened(updated, gone, retyped)


def select_changes(curated: schema_pb2.Schema, needed: schema_pb2.Schema, features: Iterable[str]) -> schema_pb2.Schema:
    """The curated schema with the changes of some features only; `dataset` stands for the bounds on the rows."""
    schema = schema_pb2.Schema()
    schema.CopyFrom(curated)
    parts, wanted = _Parts(schema), _Parts(needed)
    for name in features:
        if name == DATASET:
            schema.dataset_constraints.CopyFrom(needed.dataset_constraints)
        if name in wanted.features:
            parts.take(name, wanted)
    return schema


def remaining_anomalies(schema: schema_pb2.Schema, statistics: Statistics) -> dict[str, dict[str, str]]:
    """TFDV's description of what is wrong with each feature, by split."""
    remaining: dict[str, dict[str, str]] = {}
    for split, found in statistics.items():
        anomalies = validate(found, schema)
        texts = {".".join(info.path.step) or key: info.description for key, info in anomalies.anomaly_info.items()}
        if anomalies.HasField("dataset_anomaly_info"):
            texts[DATASET] = anomalies.dataset_anomaly_info.description
        if texts:
            remaining[split] = texts
    return remaining


def _rows(statistics: statistics_pb2.DatasetFeatureStatisticsList) -> int:
    return int(tfdv.DatasetListView(statistics).get_default_slice_or_die().proto().num_examples)


def _filled(statistics: statistics_pb2.DatasetFeatureStatisticsList) -> set[str]:
    """Features that have a value in at least one row."""
    dataset = tfdv.DatasetListView(statistics).get_default_slice_or_die().proto()
    return {
        feature_name(feature)
        for feature in dataset.features
        if (common := common_statistics(feature)) is not None and common.num_non_missing
    }


class _Parts:
    """The features and domains of a schema, by name; a search through thousands of them takes its time."""

    def __init__(self, schema: schema_pb2.Schema) -> None:
        self._schema = schema
        self.features = {feature.name: feature for feature in schema.feature}
        self.domains = {domain.name: domain for domain in schema.string_domain}

    def take(self, name: str, source: _Parts, remarks: schema_pb2.Feature | None = None) -> None:
        """Copies a feature of `source`, and the domain that it names, over that of the same name or to the end."""
        feature = source.features[name]
        if name not in self.features:
            self.features[name] = self._schema.feature.add()
        self.features[name].CopyFrom(feature)
        if remarks is not None and remarks.HasField("annotation"):
            self.features[name].annotation.CopyFrom(remarks.annotation)
        if feature.domain in source.domains:
            if feature.domain not in self.domains:
                self.domains[feature.domain] = self._schema.string_domain.add()
            self.domains[feature.domain].CopyFrom(source.domains[feature.domain])
