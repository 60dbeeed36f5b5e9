from __future__ import annotations

from pathlib import Path

import pytest

from components.example_validator.comparators import Threshold
from configs.load import load_settings
from configs.settings import Settings
from pipeline.comparisons import comparisons
from pipeline.pipeline import create_pipeline
from runners.compiled import compile_pipeline, node_ids
from schemas.errors import SettingsError

TAXI = Path(__file__).parents[3] / "configs/taxi.yaml"
DAYS = "data.path=/data/{YYYY}-{MM}-{DD}.csv"


def settings(*overrides: str) -> Settings:
    return load_settings([TAXI], list(overrides), {})


def test_a_named_column_has_its_threshold() -> None:
    found = comparisons(settings("validation.drift={fare: 0.25, company: {infinity_norm: 0.5}}"))
    assert found.drift == {"fare": Threshold(0.25), "company": Threshold(0.5, "infinity_norm")}
    assert found.skew == {}


def test_the_star_stands_for_columns_whose_distribution_says_something() -> None:
    serving = "validation={drift: {'*': 0.25, fare: 0.5}, skew: {'*': 0.125}, serving_path: serving.csv}"
    found = comparisons(settings(DAYS, serving))
    columns = settings().table.columns
    assert columns.keys() - found.drift.keys() == {"trip_start_timestamp"}  # a moment never comes again
    assert found.drift["fare"] == Threshold(0.5)
    assert found.drift["company"] == Threshold(0.25, named=False)
    # Rows to predict for have no label.
    assert found.drift.keys() - found.skew.keys() == {"tips"}


def test_a_star_with_the_norm_stands_for_columns_of_text() -> None:
    found = comparisons(settings("validation.drift={'*': {infinity_norm: 0.25}}"))
    assert found.drift.keys() == {"company", "payment_type"}


@pytest.mark.parametrize(
    ("overrides", "message", "where"),
    [
        (["window.spans=3"], "the data have no spans", "window.spans"),
        (["validation.drift={fare: 0.1}"], "the data have no spans", "validation.drift"),
        (["validation.serving_path=rows.csv"], "no threshold says how far", "validation.serving_path"),
    ],
)
def test_what_has_nothing_to_compare_is_refused(overrides: list[str], message: str, where: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        create_pipeline(settings(*overrides))
    assert caught.value.where == where


def test_nodes_are_there_only_where_they_are_needed() -> None:
    extra = {"PreviousSpan", "ServingExampleGen", "ServingStatisticsGen", "SpanWindow"}
    plain = node_ids(compile_pipeline(settings(DAYS)))
    assert not extra & set(plain)
    validation = "validation={drift: {fare: 0.1}, skew: {fare: 0.1}, serving_path: serving.csv}"
    all_of_them = node_ids(compile_pipeline(settings(DAYS, validation, "window.spans=3")))
    assert set(all_of_them) == {*plain, *extra}
    assert all_of_them.index("PreviousSpan") < all_of_them.index("ExampleValidator")
    assert all_of_them.index("AnomalyGate") < all_of_them.index("SpanWindow") < all_of_them.index("Transform")


def test_a_comparator_of_the_curated_schema_is_enough(tmp_path: Path) -> None:
    schema = tmp_path / "schema.pbtxt"
    schema.write_text(
        'feature { name: "fare" type: FLOAT drift_comparator { jensen_shannon_divergence { threshold: 0.1 } } }'
    )
    assert "PreviousSpan" in node_ids(compile_pipeline(settings(DAYS, f"schema.path={schema}")))
