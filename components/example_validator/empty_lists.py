"""Empty lists are missing values.

CsvExampleGen, TFX's and ours, writes a missing value as an empty list of the column's type. TFDV takes the list for a
value: it counts no row as missing, so a column without any value still is present in all rows, and its smallest and
largest value are 0. Here an empty list is no value, except where a schema means lists (`features_with_values`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

_ACROSS_DATASETS = ("COMPARATOR_", "CUSTOM_")


def validate(
    statistics: statistics_pb2.DatasetFeatureStatisticsList, schema: schema_pb2.Schema
) -> anomalies_pb2.Anomalies:
    """TFDV's anomalies, with empty lists taken for missing values."""
    return tfdv.validate_statistics(count_empty_as_missing(statistics, features_with_values(schema)), schema)


def amend(
    anomalies: anomalies_pb2.Anomalies,
    statistics: statistics_pb2.DatasetFeatureStatisticsList,
    schema: schema_pb2.Schema,
) -> anomalies_pb2.Anomalies:
    """The anomalies with those of features that have empty lists found anew.

    What came from comparing with other data (drift, skew) or from custom rules is kept.
    """
    affected = features_with_values(schema) & features_with_empty_lists(statistics)
    if not affected:
        return anomalies
    amended = anomalies_pb2.Anomalies()
    amended.CopyFrom(anomalies)
    for key, info in anomalies.anomaly_info.items():
        if ".".join(info.path.step) not in affected:
            continue
        kept = [r for r in info.reason if anomalies_pb2.AnomalyInfo.Type.Name(r.type).startswith(_ACROSS_DATASETS)]
        if kept:
            del amended.anomaly_info[key].reason[:]
            amended.anomaly_info[key].reason.extend(kept)
        else:
            del amended.anomaly_info[key]
    for key, info in validate(statistics, schema).anomaly_info.items():
        if ".".join(info.path.step) in affected:
            kept = list(amended.anomaly_info[key].reason)
            amended.anomaly_info[key].CopyFrom(info)
            amended.anomaly_info[key].reason.extend(kept)
    return amended


def features_with_values(schema: schema_pb2.Schema) -> set[str]:
    """Features whose presence in the schema is about values.

    These are all but those that are in 100 % of the rows in lists that may be empty: TFDV infers that from empty lists,
    so there presence is about lists. What must have a value in every row says so with `value_count { min: 1 }`.
    """
    return {feature.name for feature in schema.feature if feature.presence.min_fraction < 1 or feature.value_count.min}


def features_with_empty_lists(statistics: statistics_pb2.DatasetFeatureStatisticsList) -> set[str]:
    """Features that have at least one empty list, and no list of more than one value."""
    return {
        feature_name(feature)
        for dataset in statistics.datasets
        for feature in dataset.features
        if (common := common_statistics(feature)) is not None and values_of(common) < common.num_non_missing
    }


def count_empty_as_missing(
    statistics: statistics_pb2.DatasetFeatureStatisticsList, features: Collection[str] | None = None
) -> statistics_pb2.DatasetFeatureStatisticsList:
    """The statistics that TFDV would have made if the empty lists had not been written.

    Args:
        statistics: are not changed.
        features: names; None: all.

    Returns:
        A copy. Features with lists of several values are as they were: the statistics do not say how many are empty.
    """
    copy = statistics_pb2.DatasetFeatureStatisticsList()
    copy.CopyFrom(statistics)
    for dataset in copy.datasets:
        for feature in dataset.features:
            common = common_statistics(feature)
            if common is None or (features is not None and feature_name(feature) not in features):
                continue
            for counts in (common, *common.presence_and_valency_stats):
                values = values_of(counts)
                if values < counts.num_non_missing:
                    counts.num_missing += counts.num_non_missing - values
                    counts.num_non_missing = values
                    counts.min_num_values = counts.max_num_values = min(values, 1)
    return copy


def common_statistics(feature: statistics_pb2.FeatureNameStatistics) -> Any:
    """The counts that every type of feature has, or None."""
    kind = feature.WhichOneof("stats")
    return None if kind is None else getattr(feature, kind).common_stats


def feature_name(feature: statistics_pb2.FeatureNameStatistics) -> str:
    """Path of a feature, its steps joined by dots."""
    return feature.name or ".".join(feature.path.step)


def values_of(counts: Any) -> int:
    """Rows that have a value, where no row has several; otherwise rows that have a list."""
    return int(counts.tot_num_values if counts.max_num_values <= 1 else counts.num_non_missing)
