"""The demo, as a user runs it: from the real taxi sample to a release, and again from the cache."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("scalable-tf")
NODES = [
    "ExampleGen", "StatisticsGen", "SchemaGen", "ImportSchemaGen", "ExampleValidator", "AnomalyGate", "Transform",
    "Trainer", "LatestBlessed", "Evaluator", "SmokeCheck", "Pusher",
]  # fmt: skip


@dataclass(frozen=True)
class Demo:
    output_dir: Path
    first: subprocess.CompletedProcess[str]
    second: subprocess.CompletedProcess[str]

    def only(self, pattern: str) -> Path:
        (found,) = self.output_dir.glob(pattern)
        return found

    @property
    def release(self) -> dict[str, Any]:
        record: dict[str, Any] = json.loads((self.output_dir / "releases/taxi/1/release.json").read_text())
        return record


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(COMMAND), "run", *arguments], capture_output=True, text=True, cwd=ROOT)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    output_dir = tmp_path_factory.mktemp("demo")
    arguments = ("-c", "configs/taxi.yaml", "--set", f"output_dir={output_dir}")
    return Demo(output_dir, run(*arguments, "--profile"), run(*arguments))  # a profile makes no other run of it


def test_every_node_ends_well(demo: Demo) -> None:
    assert demo.first.returncode == 0, demo.first.stdout + demo.first.stderr
    states = dict(re.findall(r"^\s+(\w+)\s+(complete|cached|failed|not run)\b", demo.first.stdout, re.MULTILINE))
    assert states == {node: "complete" for node in NODES}


def test_an_unchanged_second_run_comes_from_the_cache_and_releases_nothing_twice(demo: Demo) -> None:
    assert demo.second.returncode == 0, demo.second.stdout + demo.second.stderr
    states = dict(re.findall(r"^\s+(\w+)\s+(complete|cached|failed|not run)\b", demo.second.stdout, re.MULTILINE))
    # A resolver has no work that could be cached: it looks again, and finds the model that the first run blessed.
    assert {node for node, state in states.items() if state != "cached"} <= {"LatestBlessed", "ImportSchemaGen"}
    assert [path.name for path in (demo.output_dir / "releases/taxi").iterdir() if path.name.isdigit()] == ["1"]


def test_the_profile_says_where_the_time_of_every_node_went(demo: Demo) -> None:
    shown = demo.first.stdout.partition("Where the time went")[2].partition("Profiles: ")
    assert sorted(re.findall(r"^([A-Z]\w+) +\d+\.\d +\d+\.\d", shown[0], re.MULTILINE)) == sorted(NODES)
    files = {path.name for path in Path(shown[2].splitlines()[0]).iterdir()}
    assert files == {f"{node}.{kind}" for node in NODES for kind in ("pstats", "txt")}
    assert "Where the time went" not in demo.second.stdout


def test_the_training_of_a_profiled_run_is_traced(demo: Demo) -> None:
    assert b"MatMul" in demo.only("artifacts/Trainer/model_run/*/plugins/profile/*/*.xplane.pb").read_bytes()


def test_metrics_are_in_the_band_of_this_data(demo: Demo) -> None:
    overall = json.loads(demo.only("artifacts/Evaluator/evaluation/*/metrics.json").read_text())["Overall"]
    assert 0.940 <= overall["auc"] <= 0.965
    assert 0.88 <= overall["accuracy"] <= 0.92
    assert overall["loss"] <= 0.23
    assert 0.93 <= overall["calibration"] <= 1.07


def test_metrics_are_sliced(demo: Demo) -> None:
    slices = json.loads(demo.only("artifacts/Evaluator/evaluation/*/metrics.json").read_text())
    assert "payment_type:Credit Card" in slices
    assert {f"trip_start_hour:{hour}" for hour in range(24)} <= slices.keys()


def test_the_release_is_a_saved_model_that_says_where_it_comes_from(demo: Demo) -> None:
    version = demo.output_dir / "releases/taxi/1"
    assert (version / "saved_model.pb").is_file()
    assert demo.release["version"] == 1
    assert demo.release["blessing"]["blessed"] is True
    assert demo.release["metrics"]["Overall"]["auc"] >= 0.94
    assert len(demo.release["fingerprints"]["code"]) == 64


def test_a_server_was_asked_before_the_release_which_has_warm_up_requests(demo: Demo) -> None:
    report = json.loads(demo.only("artifacts/SmokeCheck/blessing/*/report.json").read_text())
    # 32 rows one by one and all together, by each signature of the two that clients ask.
    asked = {"predict": 33, "serving_default": 33}
    assert (report["faults"], report["requests"]) == ([], {"gRPC": asked, "REST": asked})
    assert "Smoke check: a server gives the same for 32 rows" in demo.first.stdout
    assert "assets.extra/tf_serving_warmup_requests" in demo.release["files"]


def test_lineage_leads_from_the_release_to_the_examples(demo: Demo) -> None:
    import ml_metadata
    from ml_metadata.proto import metadata_store_pb2

    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(demo.output_dir / "metadata/metadata.sqlite")
    store = ml_metadata.MetadataStore(config)
    (pushed, *_) = store.get_artifacts_by_type("PushedModel")
    seen, pending = set(), [pushed.id]
    while pending:
        events = store.get_events_by_artifact_ids([pending.pop()])
        makers = [event.execution_id for event in events if event.type == metadata_store_pb2.Event.OUTPUT]
        for event in store.get_events_by_execution_ids(makers):
            if event.type == metadata_store_pb2.Event.INPUT and event.artifact_id not in seen:
                seen.add(event.artifact_id)
                pending.append(event.artifact_id)
    types = {artifact.type for artifact in store.get_artifacts_by_id(sorted(seen))}
    assert {"Examples", "Schema", "TransformGraph", "Model", "ModelBlessing", "ModelEvaluation"} <= types
