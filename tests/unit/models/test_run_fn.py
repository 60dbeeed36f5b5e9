from __future__ import annotations

import json
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


def test_the_evaluator_ends_with_the_training_and_exports_nothing(tmp_path: Path, transformed: Transformed) -> None:
    (tmp_path / "done").touch()
    given = arguments(transformed, tmp_path)
    given.custom_config.update(role="evaluator", cluster_dir=str(tmp_path), backup_dir=str(tmp_path / "backup"))
    run_fn(given)
    assert not (tmp_path / "model").exists()
    assert (tmp_path / "run" / "evaluator").is_dir()


def recommender(transformed: Transformed, folder: Path, **training: Any) -> SimpleNamespace:
    """As if a company were to be found for a trip."""
    given = arguments(transformed, folder, **training)
    towers = {"candidate": ["company"], "size": 4, "depths": [1, 2]}
    given.custom_config["settings"]["model"] |= {"architecture": "two_tower", "towers": towers}
    return given


@pytest.fixture(scope="module")
def recommended(transformed: Transformed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recommender")
    run_fn(recommender(transformed, folder))
    return folder


def test_a_recommender_reports_its_recall(recommended: Path) -> None:
    report = json.loads((recommended / "run/retrieval.json").read_text())
    assert report["candidates"] == 3
    assert report["queries"] > 10
    # Tips come from one company only; where its name is missing it cannot be found.
    assert 0.8 < report["recall"]["1"] == report["popular"]["1"] < 1


def test_a_recommender_finds_candidates_for_a_query(recommended: Path) -> None:
    retrieve = tf.saved_model.load(str(recommended / "model")).signatures["retrieve"]
    assert set(retrieve.structured_input_signature[1]) == {"fare", "hour"}
    found = retrieve(fare=tf.constant([9.0, float("nan")]), hour=tf.constant([15.0, 20.0], tf.float64))
    assert found["candidates"][:, 0].numpy().tolist() == [b"a", b"a"]
    assert found["candidates"].shape == found["scores"].shape == (2, 2)
    assert (np.diff(found["scores"].numpy(), axis=1) <= 0).all()


def test_a_recommender_of_rows_that_are_not_in_memory(
    recommended: Path, tmp_path: Path, transformed: Transformed
) -> None:
    run_fn(recommender(transformed, tmp_path, cache=False))
    assert (tmp_path / "run/retrieval.json").read_text() == (recommended / "run/retrieval.json").read_text()


def started(folder: Path, transformed: Transformed, base: Path, **model: Any) -> np.ndarray:
    """Predictions of a model that begins with another one's weights and learns next to nothing."""
    given = arguments(transformed, folder, epochs=1, optimizer={"learning_rate": 1e-9}, early_stopping=None)
    given.custom_config["settings"]["model"].update(model)
    given.base_model = str(base)
    run_fn(given)
    return predictions(folder, transformed)


def weights_of(model: Path, number: int) -> np.ndarray:
    reader = tf.train.load_checkpoint(str(model / "variables" / "variables"))
    return np.asarray(reader.get_tensor(f"weights/{number}/.ATTRIBUTES/VARIABLE_VALUE"))


def test_a_training_begins_with_the_weights_of_its_base_model(tmp_path: Path, transformed: Transformed) -> None:
    run_fn(arguments(transformed, tmp_path))
    base = tmp_path / "model"
    again = started(tmp_path / "again", transformed, base)
    np.testing.assert_allclose(again, predictions(tmp_path, transformed), atol=1e-5)

    # As if the base model had met the companies in another order: the rows of its table follow them.
    vocabulary = base / "assets" / "company"
    companies = vocabulary.read_text().split()
    assert sorted(companies) == ["a", "b", "c"]
    vocabulary.write_text("".join(f"{name}\n" for name in reversed(companies)))
    started(tmp_path / "other", transformed, base)
    before, after = weights_of(base, 0), weights_of(tmp_path / "other" / "model", 0)
    moved = [row for row in range(len(before)) if not np.allclose(before[row], after[row], atol=1e-5)]
    assert len(moved) == 2
    np.testing.assert_allclose(after[moved[0]], before[moved[1]], atol=1e-5)
    np.testing.assert_allclose(after[moved[1]], before[moved[0]], atol=1e-5)


def test_of_a_base_model_with_other_layers_nothing_is_taken(
    tmp_path: Path, transformed: Transformed, caplog: pytest.LogCaptureFixture
) -> None:
    run_fn(arguments(transformed, tmp_path, epochs=2))
    with caplog.at_level("WARNING"):
        other = started(tmp_path / "other", transformed, tmp_path / "model", hidden_units=[8])
    assert "Training begins from scratch" in caplog.text
    assert np.abs(other - predictions(tmp_path, transformed)).max() > 0.01
