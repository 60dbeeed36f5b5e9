from __future__ import annotations

from pathlib import Path

import pytest

from configs.load import load_settings
from runners.data_rules import data_rules

SETTINGS = """\
name: trips
output_dir: out
data: {path: "data/{SPAN}.csv"}
schema: {path: SCHEMA}
features:
  fare: {kind: numeric}
label: {kind: binary, expression: tips > 1}
evaluation: {thresholds: {auc: {lower: 0.5}}}
"""


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    file = tmp_path / "schema.pbtxt"
    file.write_text("first")
    return file


def of(schema: Path, *overrides: str) -> str:
    file = schema.with_name("settings.yaml")
    file.write_text(SETTINGS.replace("SCHEMA", str(schema)))
    return data_rules(load_settings([file], overrides, {}))


@pytest.mark.parametrize(
    "override", ["data.path=elsewhere/{SPAN}.csv", "data.span=3", "training.epochs=9", "validation.samples=9"]
)
def test_what_does_not_judge_data_does_not_count(override: str, schema: Path) -> None:
    assert of(schema, override) == of(schema)


@pytest.mark.parametrize(
    "override",
    [
        "data.delimiter=;",
        "data.max_rejected_fraction=0.1",
        "features.fare.log=true",
        "validation.fail_at=warning",
        "validation.allow=[{feature: fare}]",
        "schema.path=null",
    ],
)
def test_what_judges_them_counts(override: str, schema: Path) -> None:
    assert of(schema, override) != of(schema)


def test_the_content_of_the_curated_schema_counts(schema: Path) -> None:
    before = of(schema)
    schema.write_text("second")
    assert of(schema) != before
    schema.unlink()
    assert len(of(schema)) == 64
