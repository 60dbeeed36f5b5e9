from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.errors import PlacedValueError
from schemas.features import FeatureTable

LABEL = {"kind": "binary", "expression": "tips > 0.2 * fare"}


def table(features: dict[str, Any], label: dict[str, Any] = LABEL, weight: str | None = None) -> FeatureTable:
    return FeatureTable.model_validate({"features": features, "label": label, "weight": weight})


def error(features: dict[str, Any], label: dict[str, Any] = LABEL) -> tuple[str, tuple[int | str, ...]]:
    """The message of the one error, and where it is."""
    with pytest.raises(ValidationError) as caught:
        table(features, label)
    [found] = caught.value.errors()
    cause = found.get("ctx", {}).get("error")
    return found["msg"], (*found["loc"], *(cause.path if isinstance(cause, PlacedValueError) else ()))


def test_columns_and_their_types() -> None:
    found = table(
        {
            "fare": {"kind": "numeric"},
            "fare_bucket": {"kind": "bucketized", "column": "fare", "buckets": 3},
            "hour": {"kind": "integer", "size": 24},
            "company": {"kind": "categorical"},
            "tract": {"kind": "hashed", "dtype": "int", "buckets": 9},
            "both": {"kind": "cross", "of": ["company", "hour"], "buckets": 9},
            "start": {"kind": "timestamp"},
            "title": {"kind": "text"},
            "photo": {"kind": "image", "height": 2, "width": 2},
            "raw": {"kind": "passthrough", "dtype": "int"},
        },
        weight="importance",
    )
    inputs = {
        "fare": "float",
        "hour": "int",
        "company": "string",
        "tract": "int",
        "start": "int",
        "title": "string",
        "photo": "string",
        "raw": "int",
    }
    assert found.inputs == inputs
    assert found.columns == {**inputs, "tips": "float", "importance": "float"}


@pytest.mark.parametrize(
    ("label", "columns"),
    [
        ({"kind": "binary", "expression": 'a > 1 and b == "x"'}, {"a": "float", "b": "string"}),
        ({"kind": "integer", "column": "c", "classes": 3}, {"c": "int"}),
        ({"kind": "one_hot", "column": "c", "classes": ["x", "y"]}, {"c": "string"}),
        ({"kind": "numeric", "column": "c"}, {"c": "float"}),
    ],
)
def test_columns_of_the_label(label: dict[str, Any], columns: dict[str, str]) -> None:
    assert table({"f": {"kind": "numeric"}}, label).columns == {"f": "float", **columns}


def test_a_number_that_a_feature_reads_as_int_is_int_for_the_label_too() -> None:
    assert table({"fare": {"kind": "numeric", "dtype": "int"}}).columns == {"fare": "int", "tips": "float"}


def test_the_weight_may_be_a_feature_too() -> None:
    assert table({"w": {"kind": "numeric", "dtype": "int"}}, weight="w").columns == {
        "w": "int",
        "tips": "float",
        "fare": "float",
    }


@pytest.mark.parametrize(
    ("features", "message", "path"),
    [
        ({"label": {"kind": "numeric"}}, "the name is reserved", ("features", "label")),
        ({"example_weight": {"kind": "numeric"}}, "the name is reserved", ("features", "example_weight")),
        (
            {"a": {"kind": "numeric"}, "b": {"kind": "categorical", "column": "a"}},
            "column 'a' is read as float by 'a' and as string by 'b'",
            ("features", "b"),
        ),
        (
            {"tips": {"kind": "categorical"}},
            "column 'tips' is read as string by 'tips' and as float by 'label'",
            ("label",),
        ),
        (
            {"a": {"kind": "numeric"}, "x": {"kind": "cross", "of": ["a", "a"], "buckets": 2}},
            "crosses 'a' of kind 'numeric'",
            ("features", "x", "of"),
        ),
        (
            {"a": {"kind": "text"}, "x": {"kind": "cross", "of": ["b", "a"], "buckets": 2}},
            "crosses 'b', which is not a feature",
            ("features", "x", "of"),
        ),
        (
            {"t": {"kind": "text", "weights": "tf_idf"}, "t_weight": {"kind": "numeric"}},
            "the name is that of the token weights of 't'",
            ("features", "t_weight"),
        ),
        (
            {
                "a": {"kind": "numeric", "column": "Trip Miles"},
                "b": {"kind": "hashed", "column": "Trip_Miles", "buckets": 2},
            },
            "reads the column 'Trip_Miles', which a prediction request cannot tell from 'Trip Miles'",
            ("features", "b"),
        ),
        ({}, "at least 1 item", ("features",)),
        ({"a": {"kind": "numeric", "fill": float("nan")}}, "finite", ("features", "a", "numeric", "fill")),
        ({"a": {"kind": "bucketized"}}, "either buckets", ("features", "a", "bucketized")),
        (
            {"a": {"kind": "bucketized", "buckets": 2, "boundaries": [1]}},
            "either buckets",
            ("features", "a", "bucketized"),
        ),
        ({"a": {"kind": "bucketized", "boundaries": []}}, "strictly increasing", ("features", "a", "bucketized")),
        ({"a": {"kind": "bucketized", "boundaries": [1, 1]}}, "strictly increasing", ("features", "a", "bucketized")),
        ({"a": {"kind": "text", "ngrams": [2, 1]}}, "1 <= first <= second", ("features", "a", "text")),
        ({"a": {"kind": "text", "ngrams": [1, 6]}}, "1 <= first <= second", ("features", "a", "text")),
    ],
)
def test_a_mistake_says_what_and_where(features: dict[str, Any], message: str, path: tuple[str, ...]) -> None:
    found, where = error(features)
    assert message in found
    assert where == path


@pytest.mark.parametrize(
    "label",
    [
        {"kind": "binary", "expression": "fare > 10"},
        {"kind": "numeric", "column": "fare"},
    ],
)
def test_a_feature_that_decides_the_label_alone_is_refused(label: dict[str, Any]) -> None:
    message, path = error({"price": {"kind": "numeric", "column": "fare"}}, label)
    assert "reads the label's column 'fare'; the model would see the answer" in message
    assert path == ("features", "price")


def test_the_label_is_not_part_of_a_request() -> None:
    assert table({"Tips": {"kind": "numeric"}}).columns == {"Tips": "float", "tips": "float", "fare": "float"}


def test_a_feature_that_is_one_part_of_the_label_is_allowed() -> None:
    assert table({"fare": {"kind": "numeric"}}).inputs == {"fare": "float"}


@pytest.mark.parametrize(
    ("label", "message", "path"),
    [
        ({"kind": "binary", "expression": "tips >"}, "cannot be parsed", ("label", "binary", "expression")),
        ({"kind": "one_hot", "column": "a", "classes": ["x", "x"]}, "must be distinct", ("label", "one_hot")),
        (
            {"kind": "integer", "column": "a", "classes": 1},
            "greater than or equal to 2",
            ("label", "integer", "classes"),
        ),
    ],
)
def test_mistakes_of_the_label(label: dict[str, Any], message: str, path: tuple[str, ...]) -> None:
    found, where = error({"fare": {"kind": "numeric"}}, label)
    assert message in found
    assert where == path


def test_the_table_is_frozen_and_survives_json() -> None:
    found = table({"fare": {"kind": "numeric"}, "t": {"kind": "text", "ngrams": [1, 2]}})
    assert FeatureTable.model_validate(found.model_dump(mode="json")) == found
    with pytest.raises(ValidationError, match="frozen"):
        found.weight = "x"  # type: ignore[misc]
