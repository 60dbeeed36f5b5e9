from __future__ import annotations

import datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from components.example_gen.table_columns import as_texts, read_table_column
from components.example_gen.timestamps import unreadable
from schemas.errors import DataError


@pytest.mark.parametrize(
    "kind", [pa.timestamp("s"), pa.timestamp("ns"), pa.timestamp("us", "UTC"), pa.date32()], ids=str
)
def test_times_become_text_that_a_timestamp_feature_reads(kind: pa.DataType) -> None:
    moment = pa.array([datetime.datetime(2020, 1, 31, 12, 0, 1)], pa.timestamp("us"))
    values = pa.array([datetime.date(2020, 1, 31)]) if pa.types.is_date(kind) else moment.cast(kind)
    texts = as_texts(values)
    assert texts[0].as_py().startswith("2020-01-31" if pa.types.is_date(kind) else "2020-01-31 12:00:01")
    assert unreadable(texts) == {}


def test_decimals_have_all_their_digits_and_no_exponent() -> None:
    values = pa.array([Decimal("0"), Decimal("1E-7"), None, Decimal("-12.5")], pa.decimal128(20, 9))
    assert as_texts(values).to_pylist() == ["0.000000000", "0.000000100", None, "-12.500000000"]


def test_half_floats_are_numbers() -> None:
    column = pa.array(np.array([1.5, 2.0], np.float16), mask=np.array([False, True]))
    rows, found = read_table_column("a", column, "float", (), "f.arrow")
    assert rows.to_pylist() == [0, None]
    assert (found.values.to_pylist(), found.refused) == ([1.5], {})


def test_a_type_that_is_no_value_is_refused() -> None:
    column = pa.array([(1, 2, 3)], pa.month_day_nano_interval())
    with pytest.raises(DataError, match=r"(?s)Column 'a' is of a type that is not read.*f\.arrow.*month_day_nano"):
        read_table_column("a", column, "float", (), "f.arrow")
