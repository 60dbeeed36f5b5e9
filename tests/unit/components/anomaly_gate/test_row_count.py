from __future__ import annotations

import pytest
from tensorflow_metadata.proto.v0 import statistics_pb2

from components.anomaly_gate.row_count import check_rows, counted_rows
from schemas.errors import DataError


def counted(rows: int) -> statistics_pb2.DatasetFeatureStatisticsList:
    return statistics_pb2.DatasetFeatureStatisticsList(
        datasets=[statistics_pb2.DatasetFeatureStatistics(num_examples=rows)]
    )


def test_equal_numbers_pass():
    check_rows({"train": 2, "eval": 1}, {"train": counted(2), "eval": counted(1)})


@pytest.mark.parametrize("rows", [1, 3])
def test_a_different_number_is_refused(rows):
    with pytest.raises(DataError) as caught:
        check_rows({"train": 2, "eval": 1}, {"train": counted(rows), "eval": counted(1)})
    assert caught.value.received == f"train: 2 written, {rows} counted"
    assert caught.value.where == "AnomalyGate, splits train"


def test_a_split_without_statistics_is_refused():
    with pytest.raises(DataError, match="Rows were lost") as caught:
        check_rows({"train": 2, "eval": 1}, {"train": counted(2)})
    assert caught.value.received == "eval: 1 written, no statistics"


def test_statistics_of_slices_do_not_count():
    sliced = counted(5)
    sliced.datasets[0].name = "All Examples"
    sliced.datasets.add(name="payment_type_Cash", num_examples=3)
    assert counted_rows({"train": sliced}) == {"train": 5}
