"""The curated schema of the taxi trips judges the real sample and real later days as a reviewer would."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
import tensorflow_data_validation as tfdv
import tfx
from tensorflow_data_validation.statistics.stats_impl import generate_statistics_in_memory

from components.anomaly_gate.judge import judge
from components.example_validator.empty_lists import amend
from configs.settings import Settings, Validation
from schemas.curated import load_schema

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[4]
SCHEMA = load_schema(ROOT / "schemas" / "taxi" / "schema.pbtxt")
SAMPLE = Path(tfx.__file__).parent / "examples/chicago_taxi_pipeline/data/simple/data.csv"

TYPES = {"float": pa.float32(), "int": pa.int64(), "string": pa.binary()}
COORDINATES = {"pickup_latitude", "pickup_longitude", "dropoff_latitude", "dropoff_longitude"}


@pytest.fixture(scope="module")
def columns() -> dict[str, str]:
    yaml = pytest.importorskip("yaml")
    settings = yaml.safe_load((ROOT / "configs" / "taxi.yaml").read_text())
    return Settings.model_validate(settings).table.columns


def refused(path: Path, columns: dict[str, str]) -> dict[str, set[tuple[str, str]]]:
    """What the gate refuses in two thirds and one third of a file's rows.

    The types are the feature table's, and a missing value is an empty list, as ExampleGen writes them.
    """
    options = pa.csv.ConvertOptions(
        column_types={name: TYPES[dtype] for name, dtype in columns.items()}, strings_can_be_null=True
    )
    table = pa.csv.read_csv(path, convert_options=options).combine_chunks()
    buckets = np.array([hashlib.sha256(str(row).encode()).digest()[0] % 3 for row in range(table.num_rows)])
    statistics = {}
    for split, mask in (("train", buckets < 2), ("eval", buckets == 2)):
        (batch,) = table.filter(pa.array(mask)).combine_chunks().to_batches()
        lists = [pa.array([[] if v is None else [v] for v in c.to_pylist()], pa.list_(c.type)) for c in batch.columns]
        one = pa.RecordBatch.from_arrays(lists, names=batch.schema.names)
        statistics[split] = generate_statistics_in_memory(one, tfdv.StatsOptions())
    anomalies = {
        split: amend(tfdv.validate_statistics(found, SCHEMA), found, SCHEMA) for split, found in statistics.items()
    }
    found: dict[str, set[tuple[str, str]]] = {split: set() for split in statistics}
    for finding in judge(anomalies, statistics, Validation()).refused:
        found[finding.split].add((finding.feature, finding.kind))
    return found


def test_the_schema_names_the_columns_that_the_feature_table_reads_with_their_types(columns):
    names = {"float": "FLOAT", "int": "INT", "string": "BYTES"}
    by_number = {2: "INT", 3: "FLOAT", 1: "BYTES"}
    assert {feature.name: by_number[feature.type] for feature in SCHEMA.feature} == {
        name: names[dtype] for name, dtype in columns.items()
    }


def test_no_feature_has_a_fixed_shape():
    assert not [feature.name for feature in SCHEMA.feature if feature.HasField("shape")]


def test_the_sample_passes(columns):
    assert refused(SAMPLE, columns) == {"train": set(), "eval": set()}


@pytest.mark.parametrize("day", ["2019-03-05", "2022-03-01"])
def test_a_good_later_day_passes(stf_data, columns, day):
    path = stf_data / "chicago_taxi" / "spans" / day / "data.csv.gz"
    assert refused(path, columns) == {"train": set(), "eval": set()}


@pytest.mark.parametrize("day", ["2022-05-16", "2022-05-17"])
def test_a_day_without_coordinates_is_refused_for_just_that(stf_data, columns, day):
    path = stf_data / "chicago_taxi" / "spans" / day / "data.csv.gz"
    gone = {(name, "FEATURE_TYPE_NOT_PRESENT") for name in COORDINATES}
    assert refused(path, columns) == {"train": gone, "eval": gone}


def test_a_partial_day_lacks_more(stf_data, columns):
    found = refused(stf_data / "chicago_taxi" / "spans" / "2022-05-18" / "data.csv.gz", columns)
    assert ("dropoff_community_area", "FEATURE_TYPE_LOW_FRACTION_PRESENT") in found["train"]


def test_a_fragment_of_a_day_is_refused_for_its_number_of_rows(stf_data, columns):
    found = refused(stf_data / "chicago_taxi" / "spans" / "2019-03-12" / "data.csv.gz", columns)
    assert ("dataset", "DATASET_LOW_NUM_EXAMPLES") in found["train"]
