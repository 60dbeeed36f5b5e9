from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.quality import compare, report
from configs.settings import Settings
from schemas.errors import RunError

pytestmark = pytest.mark.slow

_FEATURES = {"fare": {"kind": "numeric"}, "payment": {"kind": "categorical"}}


def _settings(label: dict[str, Any], features: dict[str, Any] = _FEATURES) -> Settings:
    return Settings.model_validate(
        {
            "name": "trips",
            "output_dir": "unused",
            "data": {"path": "unused"},
            "features": features,
            "label": label,
            "evaluation": {"thresholds": {"auc": {"lower": 0.5}}},
        }
    )


_BINARY = {"kind": "binary", "expression": "tips > 0.2 * fare"}


def _write(folder: Path, size: int, seed: int) -> None:
    """Rows whose tip is 30 % for cards and nothing for cash; a fifth of the fares is missing on cash rides."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng(seed)
    with tf.io.TFRecordWriter(str(folder / "data.gz"), "GZIP") as writer:
        for fare, card, missing in zip(
            generator.uniform(1, 50, size), generator.random(size) < 0.3, generator.random(size) < 0.2, strict=True
        ):
            feature = {
                "payment": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"Card" if card else b"Cash"])),
                "tips": tf.train.Feature(float_list=tf.train.FloatList(value=[0.3 * fare * card])),
                "fare": tf.train.Feature()
                if missing and not card
                else tf.train.Feature(float_list=tf.train.FloatList(value=[fare])),
            }
            writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())


class _Half(tf.Module):
    """Gives every row the same score, in one column or several."""

    def __init__(self, columns: int = 1) -> None:
        super().__init__()
        self._columns = columns

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"outputs": tf.fill([tf.size(examples), self._columns], 0.5)}


@pytest.fixture
def output_dir(tmp_path: Path) -> Path:
    examples = tmp_path / "artifacts" / "ExampleGen" / "examples" / "1"
    _write(examples / "Split-train", 400, seed=1)
    _write(examples / "Split-eval", 200, seed=2)
    module = _Half()
    tf.saved_model.save(
        module, str(tmp_path / "releases" / "trips" / "1"), signatures={"serving_default": module.serve}
    )
    return tmp_path


def test_both_are_judged_on_the_same_eval_rows(output_dir: Path) -> None:
    result = compare(_settings(_BINARY), output_dir)

    assert result["rows"] == {"train": 400, "eval": 200}
    assert result["columns"] == ["fare", "payment"]  # never the tips, which decide the label
    assert result["categorical"] == ["payment"]
    assert result["ours"]["auc"] == 0.5
    assert result["ours"]["mean_prediction"] == 0.5
    assert result["hist_gradient_boosting"]["auc"] == 1.0
    assert result["hist_gradient_boosting"]["mean_label"] == result["ours"]["mean_label"]


def test_the_result_is_json_and_a_table(output_dir: Path) -> None:
    result = json.loads(json.dumps(compare(_settings(_BINARY), output_dir)))

    assert report(result).splitlines()[2].startswith("| auc         | 0.5000 |")


def test_a_run_without_a_release(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="did not leave"):
        compare(_settings(_BINARY), tmp_path)


def test_a_number(output_dir: Path) -> None:
    result = compare(_settings({"kind": "numeric", "column": "tips"}), output_dir)
    labels = result["ours"]
    assert set(labels) == {"mean_absolute_error", "root_mean_squared_error", "calibration"}
    assert result["hist_gradient_boosting"]["mean_absolute_error"] < labels["mean_absolute_error"]
    assert report(result).splitlines()[2].startswith("| mean absolute error")


def test_classes(output_dir: Path) -> None:
    # The model gives one column for each of two classes, each 0.5: the first one is taken.
    label = {"kind": "one_hot", "column": "payment", "classes": ["Cash", "Card"]}
    settings = _settings(label, {"tips": {"kind": "numeric"}})
    module = _Half(columns=2)
    tf.saved_model.save(
        module, str(output_dir / "releases" / "trips" / "1"), signatures={"serving_default": module.serve}
    )
    result = compare(settings, output_dir)
    assert 0.6 <= result["ours"]["accuracy"] <= 0.8
    assert result["ours"]["log_loss"] == pytest.approx(np.log(2))
