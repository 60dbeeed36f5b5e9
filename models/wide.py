"""The wide part: a linear model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf

from models.category_embedding import CategoryEmbedding
from schemas.transformed import Category, Dense, ModelInput


class Wide(tf.keras.layers.Layer):
    """A linear function of the numbers and of the categories, each id having weights of its own.

    Source: Cheng et al. 2016, https://arxiv.org/abs/1606.07792, section 3.1; its cross-product transformations are the
    crosses of the feature table. Texts and pictures are left to the deep part.

    Args:
        inputs: the model's inputs.
        units: numbers to give.

    Call arguments:
        features: {key: tensor} as Transform gives them.

    Returns:
        float [batch, units].
    """

    def __init__(self, inputs: Sequence[ModelInput], units: int, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._units = units
        self._dense = [one.key for one in inputs if isinstance(one, Dense)]
        categories = [one for one in inputs if isinstance(one, Category)]
        self._weights_of_ids = CategoryEmbedding(categories, units, initializer="zeros") if categories else None
        self._count = len(categories)
        self._linear = tf.keras.layers.Dense(units, kernel_initializer="zeros")

    def call(self, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """The sum of all weights that apply."""
        parts = []
        if self._dense:
            parts.append(self._linear(tf.concat([features[key] for key in self._dense], axis=1)))
        if self._weights_of_ids is not None:
            weights = tf.reshape(self._weights_of_ids(features), [-1, self._count, self._units])
            parts.append(tf.reduce_sum(weights, axis=1))
        return tf.add_n(parts) if parts else tf.zeros([1, self._units], self.compute_dtype)
