"""What the columns of a split hold, by the statistics that a pipeline made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tensorflow_metadata.proto.v0 import statistics_pb2

from schemas.errors import RunError

_FILE = "FeatureStats.pb"


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        values: of all rows; those without one count none.
        mean: of numbers; None for texts.
        texts: rows by text; None for numbers, and where there are more texts than the statistics name.
    """

    values: int
    mean: float | None
    texts: Mapping[str, float] | None


def split_columns(folder: Path) -> dict[str, Column]:
    """Columns by name.

    Args:
        folder: StatisticsGen's of a split.

    Raises:
        RunError: it holds no statistics.
    """
    file = folder / _FILE
    if not file.is_file():
        raise RunError("There are no statistics.", where=str(file), fix="See the log of the run.")
    found = statistics_pb2.DatasetFeatureStatisticsList.FromString(file.read_bytes())
    return {feature.path.step[0]: _column(feature) for feature in found.datasets[0].features}


def _column(feature: statistics_pb2.FeatureNameStatistics) -> Column:
    if feature.HasField("num_stats"):
        return Column(feature.num_stats.common_stats.tot_num_values, feature.num_stats.mean, None)
    found = feature.string_stats
    texts = {bucket.label: bucket.sample_count for bucket in found.rank_histogram.buckets}
    return Column(found.common_stats.tot_num_values, None, texts if len(texts) == found.unique else None)
