"""A run that the data stop, through the command line: what the gate refused can be looked up afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2
from tensorflow_metadata.proto.v0 import anomalies_pb2

from tests.integration.trips import write_trips

SETTINGS = """\
name: trips
output_dir: OUTPUT/run
data: {path: OUTPUT/data.csv}
schema: {path: OUTPUT/schema.pbtxt}
features:
  fare: {kind: numeric}
  miles: {kind: numeric}
label: {kind: binary, expression: tips > 1}
evaluation: {thresholds: {auc: {lower: 0.5}}}
smoke_check: {enabled: false}
"""
# ExampleGen writes a missing fare as an empty list, which TFDV alone takes for a value.
SCHEMA = """\
feature { name: "fare" type: FLOAT presence { min_fraction: 0.9 } value_count { max: 1 } }
feature { name: "miles" type: FLOAT presence { min_fraction: 0.9 } value_count { max: 1 } }
feature { name: "tips" type: FLOAT presence { min_fraction: 0.9 } value_count { max: 1 } }
"""
ROWS = "fare,miles,tips\n" + "".join(f"{'' if n % 2 else n},{n}.5,{n % 3}\n" for n in range(1, 61))


@pytest.fixture(scope="module")
def refused(run_all: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    folder = tmp_path_factory.mktemp("refused")
    (folder / "settings.yaml").write_text(SETTINGS.replace("OUTPUT", str(folder)))
    (folder / "schema.pbtxt").write_text(SCHEMA)
    (folder / "data.csv").write_text(ROWS)
    return run_all({"run": ["run", "-c", str(folder / "settings.yaml")]})["run"], folder


def test_the_run_stops_at_the_gate(refused: tuple[Any, Path]) -> None:
    ended, folder = refused
    assert ended.code == 1, ended.stdout + ended.stderr
    assert "train: fare: FEATURE_TYPE_LOW_FRACTION_PRESENT" in ended.stderr
    assert not (folder / "run/artifacts/Transform").exists()


def test_the_anomalies_are_on_disk_and_in_the_store(refused: tuple[Any, Path]) -> None:
    database = metadata_store_pb2.ConnectionConfig()
    database.sqlite.filename_uri = str(refused[1] / "run/metadata/metadata.sqlite")
    (artifact,) = MetadataStore(database).get_artifacts_by_type("ExampleAnomalies")
    assert artifact.state == metadata_store_pb2.Artifact.LIVE
    for split in ("train", "eval"):
        found = anomalies_pb2.Anomalies.FromString((Path(artifact.uri) / f"Split-{split}/SchemaDiff.pb").read_bytes())
        assert {
            name: [anomalies_pb2.AnomalyInfo.Type.Name(reason.type) for reason in info.reason]
            for name, info in found.anomaly_info.items()
        } == {"fare": ["FEATURE_TYPE_LOW_FRACTION_PRESENT"]}


def test_rows_with_faults_stop_a_run_or_are_left_out_and_listed(run_all: Any, tmp_path: Path) -> None:
    file = write_trips(tmp_path)
    with (tmp_path / "data.csv").open("a") as rows:
        rows.write("cut off\nabc,1.5,Cash,0.0\n")
    command = ["run", "-c", str(file), "--to", "StatisticsGen"]

    ended = run_all({"strict": command, "tolerant": [*command, "--set", "data.max_rejected_fraction=0.005"]})

    (refused,) = tmp_path.glob("output/logs/*/rejected.jsonl")
    assert ended["strict"].code == 1
    assert f"0.0050 would leave out all 2 rows with faults. {refused} lists the rows." in ended["strict"].stderr
    (listed,) = tmp_path.glob("output/artifacts/ExampleGen/examples/*/rejected.jsonl")
    assert ended["tolerant"].code == 0
    assert f"2 of 402 rows were rejected, as data.max_rejected_fraction allows, and 400 are left. {listed} lists" in (
        ended["tolerant"].stdout
    )
    assert refused.read_bytes() == listed.read_bytes()
    assert [json.loads(line)["line"] for line in listed.read_text().splitlines()] == [402, 403]
