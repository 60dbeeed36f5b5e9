"""The index and the figures, on towers whose vectors are known."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.catalogue import Catalogue
from models.index import Index
from models.input_fn import Split
from models.retrieval_report import RetrievalReport
from schemas.transformed import LABEL_KEY

# Three candidates, apart by right angles; id 3 is one of them, id 9 none.
CATALOGUE = Catalogue(
    columns={"id": np.array([[2], [3], [5]]), "v": np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], np.float32)},
    identity="id",
    names=np.array([b"two", b"three", b"five"]),
    wanted=np.array([1, 7, 3]),
    counts=np.zeros(6, np.int64),
)
MODEL: Any = SimpleNamespace(
    query=lambda features: tf.constant(features["q"]), candidate=lambda features: features["v"]
)
ROWS = {
    "q": np.array([[0.9, 0.1], [0.9, 0.1], [-0.8, 0.1], [0.1, 0.9], [0.1, 0.9]], np.float32),
    "id": np.array([[2], [3], [5], [9], [5]]),
    LABEL_KEY: np.array([[1.0], [1.0], [1.0], [1.0], [0.0]]),
}


def test_the_nearest_candidates() -> None:
    index = Index(MODEL, CATALOGUE, most=2)
    scores, places = index.search(tf.constant([[0.9, 0.1], [-0.8, 0.1]]))
    np.testing.assert_allclose(scores, [[0.9, 0.1], [0.8, 0.1]])
    assert tf.gather(index.names, places).numpy().tolist() == [[b"two", b"three"], [b"five", b"three"]]


@pytest.fixture
def report() -> RetrievalReport:
    split = Split((), {}, ROWS[LABEL_KEY].ravel(), ROWS)
    return RetrievalReport.of(MODEL, Index(MODEL, CATALOGUE, most=10), CATALOGUE, split, ["q"], [1, 2, 10])


def test_recall_of_the_rows_that_were_wanted(report: RetrievalReport) -> None:
    # First, second, first; and id 9 cannot be found.
    assert (report.queries, report.candidates) == (4, 3)
    assert report.recall == {1: 0.5, 2: 0.75, 10: 0.75}


def test_recall_of_the_most_popular(report: RetrievalReport) -> None:
    # Ids 3, 5 and 2, in this order.
    assert report.popular == {1: 0.25, 2: 0.5, 10: 0.75}


def test_the_figures_are_written(report: RetrievalReport, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        report.write(str(tmp_path / "run"), step=7)
    written = json.loads((tmp_path / "run/retrieval.json").read_text())
    assert written["recall"] == {"1": 0.5, "2": 0.75, "10": 0.75}
    assert '"popular": {"1": 0.25' in caplog.text
    (events,) = (tmp_path / "run/retrieval").iterdir()
    found = {
        (value.tag, event.step, float(tf.make_ndarray(value.tensor)))
        for event in tf.compat.v1.train.summary_iterator(str(events))
        for value in event.summary.value
    }
    assert ("recall_at_2", 7, 0.75) in found
