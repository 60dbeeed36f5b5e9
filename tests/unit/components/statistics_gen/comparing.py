"""Our statistics beside TFDV's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf import json_format
from tensorflow_metadata.proto.v0 import statistics_pb2


def assert_same(
    ours: statistics_pb2.DatasetFeatureStatisticsList, theirs: statistics_pb2.DatasetFeatureStatisticsList
) -> None:
    """Every field is equal but for the last digits of sums; the order of the features may differ."""
    found, expected = _by_feature(ours), _by_feature(theirs)
    assert found.keys() == expected.keys()
    for path, values in found.items():
        assert values == {key: _about(key, value) for key, value in expected[path].items()}, path


def _by_feature(statistics: statistics_pb2.DatasetFeatureStatisticsList) -> dict[Any, dict[Any, Any]]:
    (dataset,) = statistics.datasets
    found = {tuple(one.path.step): dict(_fields(json_format.MessageToDict(one))) for one in dataset.features}
    assert len(found) == len(dataset.features)
    return {(): {("rows",): dataset.num_examples, ("name",): dataset.name}, **found}


def _fields(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _fields(part, (*path, key))
    else:
        yield path, value


def _about(path: tuple[Any, ...], value: Any) -> Any:
    if isinstance(value, float) and path[-1] in ("mean", "stdDev"):
        return pytest.approx(value, rel=1e-9, abs=1e-12)
    if isinstance(value, float) and "histograms" in path:
        return pytest.approx(value, rel=1e-5, abs=1e-3)  # With NumPy 2 TFDV computes these in float32.
    return value
