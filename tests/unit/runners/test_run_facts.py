from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from components.example_gen.fingerprint import fingerprint
from configs.load import load_settings
from configs.settings import Settings
from runners.node import NodeOutcome, Output
from runners.run_facts import data_facts, refused_facts, release_facts
from tests.unit.runners.made_history import MadeHistory


def pushed(**properties: Any) -> dict[str, NodeOutcome]:
    return {"Pusher": NodeOutcome("Pusher", "complete", 1, {"pushed_model": [Output("uri", properties)]})}


def test_the_version_of_a_released_model() -> None:
    assert release_facts(pushed(pushed=1, pushed_version="7")) == {"release": 7, "reason": ""}


def test_why_a_model_was_not_released() -> None:
    reason = "not blessed: Overall: auc is 0.5, must be at least 0.6"
    assert release_facts(pushed(pushed=0, reason=reason)) == {"release": 0, "reason": reason}


def test_a_run_that_does_not_push_says_nothing_of_a_release() -> None:
    assert release_facts({"AnomalyGate": NodeOutcome("AnomalyGate", "complete", 1)}) == {}


def test_the_data_of_a_run_are_those_that_its_driver_found(tmp_path: Path) -> None:
    history = MadeHistory(tmp_path)
    history.node("run", "ExampleGen", {}, {}, properties={"input_fingerprint": "files:1", "version": 2})
    history.node("other", "ExampleGen", {}, {}, properties={"input_fingerprint": "files:2"})
    with history.metadata as metadata:
        assert data_facts(metadata, "run") == {"data": "files:1", "version": 2}
        assert data_facts(metadata, "none") == {}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    file = tmp_path / "settings.yaml"
    file.write_text(
        f'name: trips\noutput_dir: out\ndata: {{path: "{tmp_path}/{{SPAN}}/v{{VERSION}}.csv.gz", span: 3}}\n'
        "features: {fare: {kind: numeric}}\nlabel: {kind: binary, expression: tips > 1}\n"
        "evaluation: {thresholds: {auc: {lower: 0.5}}}\n"
    )
    return load_settings([file], [], {})


def test_data_that_were_refused_are_known_by_what_is_there(settings: Settings, tmp_path: Path) -> None:
    assert refused_facts(settings) == {}
    file = tmp_path / "3/v2.csv.gz"
    file.parent.mkdir()
    file.write_bytes(gzip.compress(b"fare,tips\n1,2\n")[:-9])
    assert refused_facts(settings) == {"data": fingerprint([str(file)]), "version": 2}
