from __future__ import annotations

from pathlib import Path

import pytest
from tensorflow_metadata.proto.v0 import statistics_pb2

from benchmarks.split_columns import Column, split_columns
from schemas.errors import RunError


def written(folder: Path) -> Path:
    """Three rows: fares 1 and 3, one missing; companies A, A and B; a column of which not all texts are named."""
    statistics = statistics_pb2.DatasetFeatureStatisticsList()
    features = statistics.datasets.add().features
    fare = features.add()
    fare.path.step.append("fare")
    fare.num_stats.mean = 2.0
    fare.num_stats.common_stats.num_non_missing = 3
    fare.num_stats.common_stats.tot_num_values = 2
    for name, unique in (("company", 2), ("license", 3)):
        texts = features.add(type=statistics_pb2.FeatureNameStatistics.STRING)
        texts.path.step.append(name)
        texts.string_stats.unique = unique
        texts.string_stats.common_stats.tot_num_values = 3
        for label, count in (("A", 2.0), ("B", 1.0)):
            texts.string_stats.rank_histogram.buckets.add(label=label, sample_count=count)
    (folder / "FeatureStats.pb").write_bytes(statistics.SerializeToString())
    return folder


def test_numbers_and_texts(tmp_path: Path) -> None:
    found = split_columns(written(tmp_path))
    assert found["fare"] == Column(2, 2.0, None)
    assert found["company"] == Column(3, None, {"A": 2.0, "B": 1.0})


def test_texts_of_which_some_are_not_named_are_none(tmp_path: Path) -> None:
    assert split_columns(written(tmp_path))["license"] == Column(3, None, None)


def test_no_statistics(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no statistics"):
        split_columns(tmp_path)
