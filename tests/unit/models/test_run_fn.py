from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.run_fn import run_fn
from schemas.errors import TrainingError
from schemas.transformed import LABEL_KEY, PREDICTION_KEY
from tests.unit.models.conftest import TABLE, Transformed

pytestmark = pytest.mark.slow  # it really trains or analyses, again and again


def arguments(transformed: Transformed, folder: Path, **training: Any) -> SimpleNamespace:
    """What the Trainer gives to run_fn."""
    settings = {"epochs": 12, "batch_size": 50, "optimizer": {"learning_rate": 0.02}, **training}
    return SimpleNamespace(
        train_files=transformed.train,
        eval_files=transformed.eval,
        transform_output=transformed.graph,
        serving_model_dir=str(folder / "model"),
        model_run_dir=str(folder / "run"),
        custom_config={
            "settings": {"model": {"hidden_units": [16], "embedding_size": 4}, "training": settings},
            "features": TABLE.model_dump(mode="json"),
        },
    )


def predictions(folder: Path, transformed: Transformed) -> np.ndarray:
    served = tf.saved_model.load(str(folder / "model")).signatures["serving_default"]
    return served(examples=tf.constant(transformed.examples))[PREDICTION_KEY].numpy().ravel()


def test_it_trains_and_exports(tmp_path: Path, transformed: Transformed) -> None:
    run_fn(arguments(transformed, tmp_path))
    signatures = tf.saved_model.load(str(tmp_path / "model")).signatures
    assert set(signatures) == {"serving_default", "predict", "transform_features"}
    label = signatures["transform_features"](examples=tf.constant(transformed.examples))[LABEL_KEY].numpy().ravel()
    scores = predictions(tmp_path, transformed)
    auc = np.mean(scores[label == 1][:, None] > scores[label == 0][None])
    assert auc > 0.9
    assert list((tmp_path / "run").rglob("events.out.tfevents.*"))


def test_twice_the_same_model(tmp_path: Path, transformed: Transformed) -> None:
    for name in ("one", "other"):
        run_fn(arguments(transformed, tmp_path / name, epochs=2))
    np.testing.assert_array_equal(
        predictions(tmp_path / "one", transformed), predictions(tmp_path / "other", transformed)
    )


def test_rows_in_memory_or_not_give_much_the_same_model(tmp_path: Path, transformed: Transformed) -> None:
    for cache in (True, False):
        run_fn(arguments(transformed, tmp_path / str(cache), epochs=10, cache=cache))
    in_memory, from_files = (predictions(tmp_path / str(cache), transformed) for cache in (True, False))
    assert np.corrcoef(in_memory.ravel(), from_files.ravel())[0, 1] > 0.98  # the order of rows is another


def test_wrong_settings(tmp_path: Path, transformed: Transformed) -> None:
    with pytest.raises(TrainingError, match="not valid"):
        run_fn(arguments(transformed, tmp_path, epochs=0))
    assert not (tmp_path / "model").exists()
