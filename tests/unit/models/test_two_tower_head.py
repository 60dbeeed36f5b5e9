from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from models.two_tower_head import RankingAndRetrieval, TwoTowerHead

LABEL = tf.constant([[1.0], [0.0]])
# Of both rows the odds of yes are 3 to 1, and row 0 finds its own candidate with odds of 4 to 1.
LOGITS = np.log([[3.0], [3.0]])
SCORES = np.log([[4.0, 1.0], [5.0, 6.0]])
RANKING = [-math.log(3 / 4), -math.log(1 / 4)]


def _head() -> TwoTowerHead:
    return TwoTowerHead("binary", 1, np.zeros(1, np.float32), retrieval_weight=2.0)


def test_retrieval_counts_where_the_candidate_was_wanted() -> None:
    outputs = tf.constant(np.hstack([LOGITS, SCORES]), tf.float32)
    loss = RankingAndRetrieval(2.0).call(LABEL, outputs)
    np.testing.assert_allclose(loss, [RANKING[0] - 2 * math.log(4 / 5), RANKING[1]], rtol=1e-6)


def test_without_scores_it_is_the_ranking_alone() -> None:
    loss = RankingAndRetrieval(2.0).call(LABEL, tf.constant(LOGITS, tf.float32))
    np.testing.assert_allclose(loss, RANKING, rtol=1e-6)


def test_the_mean_of_weighted_rows_as_keras_takes_it() -> None:
    loss = _head().loss()(LABEL, tf.constant(LOGITS, tf.float32), tf.constant([[1.0], [0.0]]))
    assert float(loss) == pytest.approx(RANKING[0] / 2)


@pytest.mark.slow
@pytest.mark.parametrize("outputs", [LOGITS, np.hstack([LOGITS, SCORES])], ids=["evaluation", "training"])
def test_metrics_are_of_the_ranking(outputs: np.ndarray) -> None:
    found = {}
    for metric in _head().metrics():
        metric.update_state(LABEL, tf.constant(outputs, tf.float32))
        found[metric.name] = float(metric.result())
    assert found == {"auc": 0.5, "accuracy": 0.5}
