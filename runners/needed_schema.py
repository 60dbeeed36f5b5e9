"""The curated schema with just the changes that the data ask for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from schemas.compare import DATASET

Statistics = Mapping[str, statistics_pb2.DatasetFeatureStatisticsList]


def inferred_schema(statistics: Statistics) -> schema_pb2.Schema:
    """The schema that SchemaGen infers from all splits: no fixed shapes."""
    schema: schema_pb2.Schema | None = None
    for found in statistics.values():
        schema = tfdv.infer_schema(found, False) if schema is None else tfdv.update_schema(schema, found)
    return schema if schema is not None else schema_pb2.Schema()


def needed_schema(curated: schema_pb2.Schema, statistics: Statistics, read: Collection[str] = ()) -> schema_pb2.Schema:
    """Loosens the schema until the data have no anomalies: TFDV's `update_schema` for each split, but for three things.

    Where TFDV would mark a feature DEPRECATED, which takes it away from Transform,
    a feature of another type becomes what TFDV infers from the data, with the remarks it had, and
    a feature without any value may be missing from now on if something reads it; only one that nothing reads is
    deprecated. The bounds on the number of rows, which TFDV leaves alone, move too.

    Args:
        curated: is not changed.
        statistics: statistics of each split.
        read: columns that the feature table reads.
    """
    schema = schema_pb2.Schema()
    schema.CopyFrom(curated)
    seen: set[str] = set()
    emptied: set[str] = set()
    for found in statistics.values():
        if not _rows(found):
            continue  # nothing can be learned from a split without rows
        updated = tfdv.update_schema(schema, found)
        inferred = tfdv.infer_schema(found, False)
        before = {feature.name: feature for feature in schema.feature}
        filled = _filled(found)
        seen |= filled
        for feature in updated.feature:
            old = before.get(feature.name)
            if (
                feature.lifecycle_stage != schema_pb2.DEPRECATED
                or old is None
                or old.lifecycle_stage == schema_pb2.DEPRECATED
            ):
                continue
            if feature.name in filled:
                _take(feature.name, inferred, updated, remarks=old)
            else:
                feature.CopyFrom(old)
                feature.ClearField("presence")
                emptied.add(feature.name)
        _move_row_bounds(updated, found)
        schema = updated
    curated_names = {feature.name for feature in curated.feature}
    for feature in schema.feature:
        if feature.name in (emptied & curated_names) - seen - set(read):
            feature.lifecycle_stage = schema_pb2.DEPRECATED
    return schema


def select_changes(curated: schema_pb2.Schema, needed: schema_pb2.Schema, features: Iterable[str]) -> schema_pb2.Schema:
    """The curated schema with the changes of some features only; `dataset` stands for the bounds on the rows."""
    schema = schema_pb2.Schema()
    schema.CopyFrom(curated)
    for name in features:
        if name == DATASET:
            schema.dataset_constraints.CopyFrom(needed.dataset_constraints)
        if any(feature.name == name for feature in needed.feature):
            _take(name, needed, schema)
    return schema


def remaining_anomalies(schema: schema_pb2.Schema, statistics: Statistics) -> dict[str, dict[str, str]]:
    """TFDV's description of what is wrong with each feature, by split."""
    remaining: dict[str, dict[str, str]] = {}
    for split, found in statistics.items():
        anomalies: anomalies_pb2.Anomalies = tfdv.validate_statistics(found, schema)
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
    names = set()
    for feature in tfdv.DatasetListView(statistics).get_default_slice_or_die().proto().features:
        kind = feature.WhichOneof("stats")
        if kind is not None and getattr(feature, kind).common_stats.num_non_missing:
            names.add(feature.name or ".".join(feature.path.step))
    return names


def _take(
    name: str, source: schema_pb2.Schema, target: schema_pb2.Schema, remarks: schema_pb2.Feature | None = None
) -> None:
    """Copies a feature, and the domain that it names, over that of the same name or to the end."""
    feature = next(feature for feature in source.feature if feature.name == name)
    place = next((other for other in target.feature if other.name == name), None) or target.feature.add()
    place.CopyFrom(feature)
    if remarks is not None and remarks.HasField("annotation"):
        place.annotation.CopyFrom(remarks.annotation)
    for domain in source.string_domain:
        if feature.domain and domain.name == feature.domain:
            kept = next((other for other in target.string_domain if other.name == domain.name), None)
            (kept if kept is not None else target.string_domain.add()).CopyFrom(domain)


def _move_row_bounds(schema: schema_pb2.Schema, statistics: statistics_pb2.DatasetFeatureStatisticsList) -> None:
    rows = _rows(statistics)
    bounds = schema.dataset_constraints
    if bounds.HasField("min_examples_count") and rows < bounds.min_examples_count:
        bounds.min_examples_count = rows
    if bounds.HasField("max_examples_count") and rows > bounds.max_examples_count:
        bounds.max_examples_count = rows
