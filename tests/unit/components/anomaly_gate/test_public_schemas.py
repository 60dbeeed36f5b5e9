"""The curated schemas of the public data sets: the real rows pass, and a planted fault is refused for what it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pytest
import tensorflow_data_validation as tfdv
from tensorflow_data_validation.statistics.stats_impl import generate_statistics_in_memory

from components.anomaly_gate.judge import judge
from components.example_validator.empty_lists import amend
from components.public_data import adult, penguins
from configs.load import load_settings
from configs.settings import Validation
from schemas.curated import load_schema

ROOT = Path(__file__).parents[4]
NAMES = ["adult", "penguins"]
ARROW = {1: pa.binary(), 2: pa.int64(), 3: pa.float32()}
DTYPES = {"string": 1, "int": 2, "float": 3}

Rows = dict[str, list[object]]


@pytest.fixture(scope="module")
def rows(stf_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rows]:
    """The real rows, by data set and column."""
    found = {}
    for name, module, folder in (("adult", adult, "adult_census"), ("penguins", penguins, "penguins")):
        target = tmp_path_factory.mktemp(name)
        module.prepare(stf_data / folder, target)
        types = {feature.name: ARROW[feature.type] for feature in load_schema(_schema(name)).feature}
        options = pa.csv.ConvertOptions(column_types=types, strings_can_be_null=True)
        found[name] = pa.csv.read_csv(target / f"{name}.csv", convert_options=options).to_pydict()
    return found


def _schema(name: str) -> Path:
    return ROOT / "schemas" / name / "schema.pbtxt"


def refused(name: str, columns: Rows) -> set[tuple[str, str]]:
    """What the gate refuses."""
    schema = load_schema(_schema(name))
    types = {feature.name: ARROW[feature.type] for feature in schema.feature}
    lists = [
        pa.array([[] if v is None else [v] for v in values], pa.list_(types[column]))
        for column, values in columns.items()
    ]
    batch = pa.RecordBatch.from_arrays(lists, names=list(columns))
    statistics = {"train": generate_statistics_in_memory(batch, tfdv.StatsOptions())}
    anomalies = {
        split: amend(tfdv.validate_statistics(found, schema), found, schema) for split, found in statistics.items()
    }
    return {(finding.feature, finding.kind) for finding in judge(anomalies, statistics, Validation()).refused}


@pytest.mark.parametrize("name", [*NAMES, "imdb", "cifar10"])
def test_the_schema_has_the_columns_that_the_feature_table_reads_with_their_types(name: str) -> None:
    columns = load_settings([ROOT / f"configs/{name}.yaml"], (), {}).table.columns
    types = {feature.name: feature.type for feature in load_schema(_schema(name)).feature}
    assert {column: types[column] for column in columns} == {column: DTYPES[dtype] for column, dtype in columns.items()}


@pytest.mark.parametrize(("name", "module"), [("adult", adult), ("penguins", penguins)])
def test_the_schema_has_the_columns_that_the_data_module_writes(name: str, module: type[adult]) -> None:
    assert [feature.name for feature in load_schema(_schema(name)).feature] == list(module.COLUMNS)


@pytest.mark.parametrize("name", NAMES)
def test_a_prediction_request_may_lack_the_label_and_nothing_else(name: str) -> None:
    label = next(iter(load_settings([ROOT / f"configs/{name}.yaml"], (), {}).label.columns))
    schema = load_schema(_schema(name))
    assert list(schema.default_environment) == ["TRAINING", "SERVING"]
    assert {f.name for f in schema.feature if "SERVING" in f.not_in_environment} == {label}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_real_rows_pass(name: str, rows: dict[str, Rows]) -> None:
    assert refused(name, rows[name]) == set()


def _first(value: object) -> Callable[[list[object]], list[object]]:
    return lambda values: [value, *values[1:]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "column", "fault", "kind"),
    [
        ("adult", "age", _first(-1), "INT_TYPE_SMALL_INT"),
        ("adult", "hours_per_week", _first(400), "INT_TYPE_BIG_INT"),
        ("adult", "sex", _first(b"female"), "ENUM_TYPE_UNEXPECTED_STRING_VALUES"),
        ("adult", "income", _first(b">50K."), "ENUM_TYPE_UNEXPECTED_STRING_VALUES"),
        ("adult", "education_num", _first(None), "FEATURE_TYPE_LOW_FRACTION_PRESENT"),
        ("adult", "occupation", lambda values: [None] * 10_000 + values[10_000:], "FEATURE_TYPE_LOW_FRACTION_PRESENT"),
        ("penguins", "bill_length_mm", _first(3.91), "FLOAT_TYPE_SMALL_FLOAT"),
        ("penguins", "body_mass_g", _first(float("nan")), "FLOAT_TYPE_HAS_NAN"),
        ("penguins", "species", _first(b"Emperor"), "ENUM_TYPE_UNEXPECTED_STRING_VALUES"),
        ("penguins", "year", _first(2026), "INT_TYPE_BIG_INT"),
    ],
)
def test_a_planted_fault_is_refused_for_what_it_is(
    name: str, column: str, fault: Callable[[list[object]], list[object]], kind: str, rows: dict[str, Rows]
) -> None:
    found = refused(name, {**rows[name], column: fault(rows[name][column])})
    assert {feature for feature, _ in found} == {column}
    assert kind in {kind for _, kind in found}


@pytest.mark.slow
def test_a_few_countries_that_are_not_listed_pass_and_many_do_not(rows: dict[str, Rows]) -> None:
    countries = rows["adult"]["native_country"]
    few, many = ({**rows["adult"], "native_country": [b"Utopia"] * n + countries[n:]} for n in (100, 1000))
    assert refused("adult", few) == set()
    assert refused("adult", many) == {("native_country", "ENUM_TYPE_UNEXPECTED_STRING_VALUES")}
