"""The benchmark of the pipeline at its smallest, with both sides real."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.comparison import compare
from benchmarks.output_dir import released_model

pytestmark = pytest.mark.timeout(1800)  # stock takes minutes, on machines that do other things too

SETTINGS = """
name: tips
output_dir: unused
data: {path: unused}
features:
  fare: {kind: numeric, log: true}
  payment_type: {kind: categorical}
label: {kind: binary, expression: tips > 0.2 * fare}
model: {architecture: dcn, hidden_units: [8]}
training: {epochs: 2}
evaluation:
  thresholds: {auc: {lower: 0.5}}
  slices: [[payment_type]]
"""


def test_both_sides_give_the_same_results(tmp_path: Path) -> None:
    config = tmp_path / "tips.yaml"
    config.write_text(SETTINGS)

    result = compare(tmp_path, 2000, config=config)

    failed = [check for check in result["checks"] if not check["holds"] and not check["what"].startswith("AUC")]
    assert failed == []
    assert result["stock_auc"] == pytest.approx(result["ours_auc"], abs=0.03)  # so few rows and steps
    assert set(result["per_node"]["ours"]) - set(result["per_node"]["stock"]) == {"AnomalyGate"}
    for side in ("stock", "ours"):
        assert released_model(tmp_path / "0" / side, "tips").is_dir()
