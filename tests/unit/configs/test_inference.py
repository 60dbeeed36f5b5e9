"""Settings of batch predictions: what is left out is as in data."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from configs.data import Data
from configs.fingerprint import settings_fingerprint
from configs.inference import Inference
from configs.settings import Settings

DATA = Data(path="old-{SPAN}.csv", delimiter=";", missing_values=("NA",), span=3, prepare="a.b", split_column="fold")


def settings(**changes: Any) -> Settings:
    given: dict[str, Any] = {
        "name": "small",
        "output_dir": "out",
        "data": {"path": "data.csv"},
        "features": {"fare": {"kind": "numeric"}},
        "label": {"kind": "binary", "expression": "tips > 1"},
        "evaluation": {"thresholds": {"auc": {"lower": 0.5}}},
    }
    return Settings.model_validate({**given, **changes})


def test_left_out_settings_are_those_of_the_data() -> None:
    found = Inference().data(DATA)
    assert (found.path, found.delimiter, found.span, found.prepare) == ("old-{SPAN}.csv", ";", 3, "a.b")
    assert found.missing_values == ("NA",)


def test_rows_to_predict_for_are_not_split() -> None:
    found = Inference().data(DATA)
    assert (found.splits, found.split_column) == ({"all": 1}, None)


def test_other_data_do_not_have_the_span_of_the_data() -> None:
    assert Inference(path="new-{SPAN}.csv").data(DATA).span is None
    assert Inference(path="new-{SPAN}.csv", span=4).data(DATA).span == 4


def test_files_of_another_format_have_no_delimiter() -> None:
    found = Inference(path="new", source="parquet", prepare="").data(DATA)
    assert (found.source, found.delimiter, found.prepare) == ("parquet", ",", None)


def test_a_query_takes_the_place_of_files() -> None:
    query = {"url": "postgresql://me@host/db", "text": "SELECT fare FROM trips"}
    found = Inference.model_validate({"query": query}).data(DATA)
    assert (found.source, found.files, found.path, found.prepare) == ("sql", "parquet", None, None)
    assert Inference(path="new.csv").data(found).query is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"path": "a"}, "must be left out where query"),
        ({"source": "csv"}, "is a format of files"),
    ],
)
def test_a_query_goes_with_neither_path_nor_format(given: dict[str, str], message: str) -> None:
    query = {"url": "postgresql://me@host/db", "text": "SELECT fare FROM trips"}
    with pytest.raises(ValidationError, match=message):
        Inference.model_validate({"query": query, **given})


@pytest.mark.parametrize("key", ["id_columns", "outputs"])
def test_a_name_is_listed_once(key: str) -> None:
    with pytest.raises(ValidationError, match="is listed already"):
        Inference.model_validate({key: ["a", "b", "a"]})


@pytest.mark.parametrize("name", ["row_id", "probability"])
def test_an_id_column_has_no_name_of_the_predictions(name: str) -> None:
    with pytest.raises(ValidationError, match="is the name of a column of the predictions"):
        settings(inference={"id_columns": [name]})


def test_a_model_is_not_another_one_for_what_is_done_with_it() -> None:
    other = settings(inference={"path": "new.csv", "format": "csv"}, purpose="inference")
    assert settings_fingerprint(other) == settings_fingerprint(settings())
