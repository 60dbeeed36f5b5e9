"""configs/imdb.yaml: from a table of reviews to a released model."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PRAISE = ("wonderful", "moving", "brilliant", "touching", "superb", "charming", "a must see", "well acted")
BLAME = ("awful", "boring", "stupid", "a waste of time", "poorly acted", "dreadful", "lame", "not funny")
PLAIN = ("the film", "an actor", "the plot", "this movie", "the end", "her sister", "a car", "music", "of the 1980s")
GOOD = {"review": "A wonderful, moving film. Brilliant acting, and a must see: I loved every minute of it."}
BAD = {"review": "An awful film: boring, stupid and poorly acted. A waste of time; the worst that I have seen."}
EMPTY = {"review": ""}


def write_imdb(folder: Path, rows: int, seed: int = 1) -> None:
    """Reviews in the form of the public table: of words of praise, or of blame, among words that say nothing."""
    generator = np.random.default_rng(seed)
    folder.mkdir()
    with gzip.open(folder / "imdb_train.csv.gz", "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("id", "review", "label", "rating"))
        for number in range(rows):
            positive = number % 2
            parts = [*generator.choice(PRAISE if positive else BLAME, 4), *generator.choice(PLAIN, 8)]
            text = ", ".join(generator.permutation(parts)) + f'.<br /><br />"Seen"\n{number} times.'
            place = f"train/{'pos' if positive else 'neg'}/{number}_{9 if positive else 2}"
            writer.writerow((place, text, positive, 9 if positive else 2))


pytestmark = pytest.mark.timeout(1800)  # minutes of training, on machines that do other things too


@pytest.fixture(scope="module")
def small(run_shipped: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("public") / "imdb"
    write_imdb(folder, 600)
    return run_shipped("imdb", f"data.path={folder}", "training.batch_size=32")


@pytest.fixture(scope="module")
def real(run_shipped: Any, stf_data: Path) -> Any:
    return run_shipped("imdb", f"data.path={stf_data}/imdb")


def test_generated_reviews_give_a_release(small: Any) -> None:
    assert small.release["blessing"]["blessed"] is True
    assert small.overall["accuracy"] >= 0.95


def test_the_model_of_generated_reviews_tells_praise_from_blame(small: Any) -> None:
    good, bad, empty = small.predict([GOOD, BAD, EMPTY])[:, 0]
    assert 0 <= bad < 0.4 < 0.6 < good <= 1
    assert 0 < empty < 1


def test_the_real_reviews_reach_the_metrics_of_the_settings_file(real: Any) -> None:
    assert real.release["blessing"]["blessed"] is True
    assert 0.895 <= real.overall["accuracy"] <= 0.92
    assert 0.955 <= real.overall["auc"] <= 0.975
    assert 0.93 <= real.overall["calibration"] <= 1.07
    assert real.overall["example_count"] > 4_800


def test_the_model_of_the_real_reviews_tells_praise_from_blame(real: Any) -> None:
    good, bad, _ = real.predict([GOOD, BAD, EMPTY])[:, 0]
    assert bad < 0.1
    assert good > 0.9
