"""configs/recommender.yaml: from sequences of purchases to a released recommender."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
import tensorflow as tf

from components.public_data.amazon_sports import ATTRIBUTES, SEQUENCES
from components.public_data.source_text import source_text

TASTES, ITEMS_EACH = 8, 10


def write_sequences(folder: Path, users: int, seed: int = 1) -> None:
    """Purchases in the form of the public files: each user has one taste, and buys five of its items."""
    generator = np.random.default_rng(seed)
    lines = []
    for user in range(1, users + 1):
        items = 1 + user % TASTES + TASTES * generator.permutation(ITEMS_EACH)[:5]
        lines.append(" ".join(map(str, (user, *items))))
    attributes = {str(1 + item): [1 + item % TASTES] for item in range(TASTES * ITEMS_EACH)}
    folder.mkdir()
    with gzip.open(folder / f"{SEQUENCES}.gz", "wt") as file:
        file.write("\n".join(lines) + "\n")
    (folder / ATTRIBUTES).write_text(json.dumps(attributes))


def retrieval(run: Any) -> dict[str, Any]:
    """The figures in the model run's artifact; the run is told where there is none."""
    assert run.ended.returncode == 0, run.ended.stdout + run.ended.stderr
    (found,) = run.output_dir.glob("artifacts/Trainer/model_run/*/retrieval.json")
    report: dict[str, Any] = json.loads(found.read_text())
    return report


pytestmark = pytest.mark.timeout(1800)  # minutes of training, on machines that do other things too


@pytest.fixture(scope="module")
def small(run_shipped: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("public") / "sequences"
    write_sequences(folder, users=400)
    return run_shipped("recommender", f"data.path={folder}", "training.batch_size=64", "training.epochs=8")


@pytest.fixture(scope="module")
def real(run_shipped: Any, stf_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Every other person: all of them take minutes, and show no more."""
    folder = tmp_path_factory.mktemp("public") / "sequences"
    folder.mkdir()
    source = stf_data / "recsys_sequences"
    (folder / SEQUENCES).write_text("".join(source_text(source, SEQUENCES).splitlines(keepends=True)[::2]))
    (folder / ATTRIBUTES).write_text(source_text(source, ATTRIBUTES))
    return run_shipped("recommender", f"data.path={folder}")


def test_generated_purchases_give_a_release_that_is_judged_by_the_last_ones(small: Any) -> None:
    assert small.release["blessing"]["blessed"] is True
    assert small.overall["auc"] >= 0.95
    assert small.overall["example_count"] == 2 * 400


def test_a_taste_is_found_among_all_items(small: Any) -> None:
    report = retrieval(small)
    assert (report["queries"], report["candidates"]) == (400, TASTES * ITEMS_EACH)
    # Ten of eighty items are of a user's taste; four of them he has bought already.
    assert report["recall"]["10"] >= 0.8
    assert report["popular"]["10"] <= 0.4


def test_the_release_recommends_items_of_the_taste(small: Any) -> None:
    retrieve = tf.saved_model.load(str(small.version)).signatures["retrieve"]
    found = retrieve(recent_items=tf.constant(["3 11 19", "8 80"]))["candidates"].numpy()
    assert np.mean(found[:, :8] % TASTES == [[3], [0]]) >= 0.9


def test_the_release_judges_pairs(small: Any) -> None:
    rows = [
        {"recent_items": "3 11 19", "item": item, "item_attributes": words} for item, words in ((27, "3"), (28, "4"))
    ]
    wanted, other = small.predict(rows)[:, 0]
    assert wanted > 0.7 > 0.3 > other


def test_candidates_are_retrieved_for_a_file_of_queries(small: Any, tmp_path: Path) -> None:
    queries = ["3 11 19", "8 80"]
    (tmp_path / "users.csv").write_text("user,recent_items\n" + "".join(f"u{one},{one}\n" for one in queries))
    settings = ("inference.signature=retrieve", 'inference.prepare=""', "inference.id_columns=[user]")
    ended = small.infer(tmp_path / "users.csv", tmp_path / "out", *settings)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = pyarrow.parquet.read_table(tmp_path / "out").to_pydict()
    retrieve = tf.saved_model.load(str(small.version)).signatures["retrieve"]
    expected = retrieve(recent_items=tf.constant(queries))
    assert found["user"] == ["u3 11 19", "u8 80"]
    assert found["candidates"] == expected["candidates"].numpy().tolist()
    np.testing.assert_allclose(found["scores"], expected["scores"], atol=1e-5)


def test_the_real_purchases_give_a_release(real: Any) -> None:
    assert real.release["blessing"]["blessed"] is True
    assert real.overall["example_count"] == 2 * 17_799


def test_the_real_recommender_finds_twice_what_the_most_popular_items_would(real: Any) -> None:
    report = retrieval(real)
    assert report["queries"] == 17_799
    assert report["recall"]["10"] > 2 * report["popular"]["10"] > 0
