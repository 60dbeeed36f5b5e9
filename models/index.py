"""Search among all candidates."""

from __future__ import annotations

import tensorflow as tf

from models.catalogue import Catalogue
from models.two_tower import TwoTower

_AT_ONCE = 8192


class Index:
    """The vectors of all candidates, and the search for those next to a query, which compares it with every one.

    Args:
        model: a trained model.
        catalogue: the candidates.
        most: how many are found for a query; at most all.
    """

    def __init__(self, model: TwoTower, catalogue: Catalogue, most: int) -> None:
        count = len(catalogue.names)
        parts = [
            model.candidate({key: values[start : start + _AT_ONCE] for key, values in catalogue.columns.items()})
            for start in range(0, count, _AT_ONCE)
        ]
        self.most = min(most, count)
        # Constants: they go to the SavedModel with the function that searches, and no strategy parts or copies them.
        self.vectors = tf.concat(parts, axis=0)
        self.names = tf.constant(catalogue.names)

    def search(self, query: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The nearest candidates.

        Args:
            query: float [batch, n].

        Returns:
            Cosines, the largest first, float [batch, most], and the candidates' places in the catalogue,
            int32 [batch, most].
        """
        scores, places = tf.math.top_k(tf.linalg.matmul(query, self.vectors, transpose_b=True), self.most)
        return scores, places
