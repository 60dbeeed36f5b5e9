from __future__ import annotations

import datetime

import pyarrow as pa
import pytest

from components.example_gen.table_columns import as_texts
from components.example_gen.timestamps import unreadable


@pytest.mark.parametrize(
    "kind", [pa.timestamp("s"), pa.timestamp("ns"), pa.timestamp("us", "UTC"), pa.date32()], ids=str
)
def test_times_become_text_that_a_timestamp_feature_reads(kind: pa.DataType) -> None:
    moment = pa.array([datetime.datetime(2020, 1, 31, 12, 0, 1)], pa.timestamp("us"))
    values = pa.array([datetime.date(2020, 1, 31)]) if pa.types.is_date(kind) else moment.cast(kind)
    texts = as_texts(values)
    assert texts[0].as_py().startswith("2020-01-31" if pa.types.is_date(kind) else "2020-01-31 12:00:01")
    assert unreadable(texts) == {}
