from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorflow_model_analysis.proto.config_pb2 import SlicingSpec
from tensorflow_model_analysis.slicer import slicer_lib

from components.evaluator.slices import slices_of

Columns = Mapping[str, Sequence[list[Any] | None]]


def found(columns: Columns, *specs: SlicingSpec, **transformed: Any) -> dict[Any, list[int]]:
    batch = pa.RecordBatch.from_pydict(dict(columns))
    features = [{name: np.array(values) for name, values in transformed.items()}]
    return {key: sorted(rows.tolist()) for key, rows in slices_of(batch, features, specs)}


def by(*columns: str, **values: str) -> SlicingSpec:
    return SlicingSpec(feature_keys=columns, feature_values=values)


def test_each_value_of_a_column_is_a_slice() -> None:
    assert found({"payment": [[b"Cash"], [b"Credit"], [b"Cash"]]}, by(), by("payment")) == {
        (): [0, 1, 2],
        (("payment", "Cash"),): [0, 2],
        (("payment", "Credit"),): [1],
    }


def test_a_row_without_a_value_is_in_no_slice_of_the_column() -> None:
    columns = {"hour": [[7], None, []], "empty": pa.array([None, None, None], pa.null())}
    assert found(columns, by("hour"), by("empty"), by("absent")) == {(("hour", 7),): [0]}


def test_slices_of_several_columns() -> None:
    columns = {"hour": [[7], [7], [8], [8]], "day": [[1.5], [2.5], [1.5], None]}
    assert found(columns, by("hour", "day")) == {
        (("day", 1.5), ("hour", 7)): [0],
        (("day", 2.5), ("hour", 7)): [1],
        (("day", 1.5), ("hour", 8)): [2],
    }


def test_a_row_of_several_values_is_in_several_slices() -> None:
    assert found({"tags": [[b"a", b"b", b"a"], [b"b"]]}, by("tags")) == {
        (("tags", "a"),): [0],
        (("tags", "b"),): [0, 1],
    }


def test_a_slice_of_a_given_value() -> None:
    columns = {"payment": [[b"Cash"], [b"Credit"]], "hour": [[7], [7]]}
    assert found(columns, by("hour", payment="Cash"), by(payment="None")) == {(("hour", 7), ("payment", "Cash")): [0]}


def test_a_slice_that_two_specs_give_comes_once() -> None:
    assert found({"hour": [[7]]}, by("hour"), by("hour")) == {(("hour", 7),): [0]}


def test_a_transformed_feature_comes_before_a_raw_column() -> None:
    assert found({"hour": [[7], [8]]}, by("hour"), hour=[[0], [0]]) == {(("hour", 0),): [0, 1]}


def test_text_that_is_no_text() -> None:
    with pytest.raises(ValueError, match="non-UTF8"):
        found({"payment": [[b"\xff"]]}, by("payment"))


_VALUES = st.lists(st.sampled_from([b"", b"a", b"a\0", b"\xc3\xa9"]), max_size=2) | st.none()
_NUMBERS = st.lists(st.integers(-2, 2), max_size=2) | st.none()


@given(st.lists(st.tuples(_VALUES, _NUMBERS), min_size=1, max_size=8))
def test_slices_are_those_that_tfma_gives_to_each_row(rows: list[tuple[list[bytes] | None, list[int] | None]]) -> None:
    specs = [by(), by("text"), by("text", "number"), by("text", number="1")]
    columns = {
        "text": pa.array([text for text, _ in rows], pa.list_(pa.binary())),
        "number": pa.array([number for _, number in rows], pa.list_(pa.int64())),
    }
    expected: dict[Any, list[int]] = {}
    for number, row in enumerate(rows):
        features = {name: np.array(values or [], object) for name, values in zip(columns, row, strict=True)}
        keys = slicer_lib.get_slices_for_features_dicts(
            [], features, [slicer_lib.SingleSliceSpec(spec=spec) for spec in specs]
        )
        for key in set(keys):
            expected.setdefault(key, []).append(number)
    assert found(columns, *specs) == expected
