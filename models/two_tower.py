"""Two towers: queries and candidates as vectors, close where they belong together."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from models.log_frequency import LogFrequency
from models.network import Network

_NEVER = -1e9


class TwoTower(Network):
    """Retrieval and ranking by one pair of towers.

        u = query(features);  v = candidate(features)
        ranking    output(deep([u, v, u * v]))           the logit of the query wanting its candidate
        retrieval  s_ij = u_i . v_j / t - log q_j        the score of query i for the candidate of row j

    In training each row's own candidate is to be found among those of the whole batch. A candidate is in a batch by its
    share q of the rows, which the correction makes up for; where another row holds the same candidate, it is left out.

    Source: Yi et al. 2019, Sampling-bias-corrected neural modeling for large corpus item recommendations,
    https://doi.org/10.1145/3298689.3346996, sections 3 and 4; rows of candidates that were drawn, rather than wanted,
    make it Yang et al. 2020, Mixed negative sampling, https://doi.org/10.1145/3366424.3386195.

    Args:
        query: features -> [batch, n], of length 1.
        candidate: features -> [batch, n], of length 1.
        deep: [batch, 3 n] -> [batch, m].
        output: [batch, m] -> [batch, 1].
        log_frequency: ids [batch, 1] -> [batch, 1].
        identity: key of the feature with the candidate's id, int64 [batch, 1].
        temperature: t.

    Returns:
        float32 [batch, 1], the ranking's logit; in training [batch, 1 + batch], the scores of all candidates beside it.
    """

    def __init__(
        self,
        query: tf.keras.layers.Layer,
        candidate: tf.keras.layers.Layer,
        deep: tf.keras.layers.Layer,
        output: tf.keras.layers.Layer,
        log_frequency: LogFrequency,
        identity: str,
        temperature: float,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.query, self.candidate, self.deep, self.last = query, candidate, deep, output
        self.log_frequency = log_frequency
        self.identity = identity
        self._temperature = temperature

    def call(self, features: Mapping[str, tf.Tensor], training: bool | None = None) -> tf.Tensor:
        """The logit, and in training the scores."""
        query, candidate = self.query(features), self.candidate(features)
        deep = self.deep(tf.concat([query, candidate, query * candidate], axis=1), training=training)
        logit = self.last(deep)
        if not training:
            return logit
        return tf.concat([logit, self._scores(query, candidate, features[self.identity])], axis=1)

    def _scores(self, query: tf.Tensor, candidate: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
        scores = tf.linalg.matmul(query, candidate, transpose_b=True) / self._temperature
        scores -= tf.transpose(self.log_frequency(ids))
        again = tf.equal(ids, tf.transpose(ids)) & ~tf.eye(tf.shape(ids)[0], dtype=tf.bool)
        return tf.where(again, _NEVER, scores)
