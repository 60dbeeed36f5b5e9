"""What a model of two towers is trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from models.head import Head


@dataclass(frozen=True)
class TwoTowerHead(Head):
    """A yes/no head for the outputs of `models.two_tower.TwoTower`: the logit, in training with scores beside it.

    Attributes:
        retrieval_weight: weight of retrieval in the loss.
    """

    retrieval_weight: float = 1.0

    def loss(self, error: str | None = None) -> tf.keras.losses.Loss:
        """Ranking and, in training, retrieval."""
        return RankingAndRetrieval(self.retrieval_weight)

    def metrics(self) -> list[tf.keras.metrics.Metric]:
        """Those of the ranking."""
        return [
            _RankingAuc(name="auc", from_logits=True),
            _RankingAccuracy("accuracy", threshold=0.0),
        ]


class RankingAndRetrieval(tf.keras.losses.Loss):
    """The cross-entropy of the label, and that of a wanted candidate among all candidates of the batch.

        l_i = BCE(y_i, logit_i) - w y_i log(exp(s_ii) / sum_j exp(s_ij))

    Without scores, as in evaluation, it is the first term alone.

    Args:
        retrieval_weight: w.
    """

    def __init__(self, retrieval_weight: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._weight = retrieval_weight

    def call(self, label: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """The loss of each row, [batch].

        Args:
            label: 0 or 1, [batch, 1].
            outputs: float [batch, 1] or [batch, 1 + batch].
        """
        label = tf.cast(label, outputs.dtype)
        ranking = tf.keras.losses.binary_crossentropy(label, outputs[:, :1], from_logits=True)
        if outputs.shape[1] == 1:
            return ranking
        scores = outputs[:, 1:]
        missed = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.range(tf.shape(scores)[0]), scores)
        return ranking + self._weight * label[:, 0] * missed


class _RankingAuc(tf.keras.metrics.AUC):
    """AUC of the first output."""

    def update_state(self, label: tf.Tensor, outputs: tf.Tensor, sample_weight: tf.Tensor | None = None) -> Any:
        return super().update_state(label, outputs[:, :1], sample_weight)


class _RankingAccuracy(tf.keras.metrics.BinaryAccuracy):
    """Accuracy of the first output."""

    def update_state(self, label: tf.Tensor, outputs: tf.Tensor, sample_weight: tf.Tensor | None = None) -> Any:
        return super().update_state(label, outputs[:, :1], sample_weight)
