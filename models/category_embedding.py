"""Embeddings of categories."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import tensorflow as tf

from schemas.transformed import Category

_MULTIPLE = 4


def embedding_width(size: int, width: int | None = None) -> int:
    """`width`, or by the rule of the DCN-v2 paper 6 * size ** 0.25, rounded up to a multiple of 4, at most 64."""
    return width or min(64, _MULTIPLE * math.ceil(6 * size**0.25 / _MULTIPLE))


class CategoryEmbedding(tf.keras.layers.Layer):
    """The embedding of each category, side by side.

    Categories whose embeddings are equally wide share one variable, each in a block of rows of its own: a step costs
    one gather and one update for each width rather than for each category.

    Args:
        categories: the inputs, at least one.
        width: numbers an id becomes; default: by each category's size, see `embedding_width`.
        initializer: of the tables; default: uniform in [-0.05, 0.05].

    Call arguments:
        features: {key: int64 [batch, 1]} with at least the categories' keys.

    Returns:
        float [batch, sum of widths], in the order of widths, then of `categories`.
    """

    def __init__(
        self, categories: Sequence[Category], width: int | None = None, initializer: str = "uniform", **kwargs: object
    ) -> None:
        super().__init__(**kwargs)
        self._initializer = initializer
        widths = [embedding_width(category.size, width) for category in categories]
        self._groups = tuple(
            (wide, tuple(category for category, other in zip(categories, widths, strict=True) if other == wide))
            for wide in sorted(set(widths))
        )

    def build(self, shape: object) -> None:
        """Makes a table for each width."""
        self._tables = [
            self.add_weight(
                f"width_{width}", (sum(category.size for category in group), width), initializer=self._initializer
            )
            for width, group in self._groups
        ]
        super().build(shape)

    @property
    def tables(self) -> list[tuple[tf.Variable, tuple[Category, ...]]]:
        """Each table, with the categories whose blocks of rows it holds, one below the other."""
        return [(table, group) for table, (_, group) in zip(self._tables, self._groups, strict=True)]

    def call(self, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Looks every category up."""
        found = []
        for (width, group), table in zip(self._groups, self._tables, strict=True):
            starts, rows = [], 0
            for category in group:
                starts.append(rows)
                rows += category.size
            ids = tf.concat([features[category.key] for category in group], axis=1) + tf.constant([starts], tf.int64)
            embedded = tf.nn.embedding_lookup(table, ids)
            found.append(tf.reshape(embedded, [-1, len(group) * width]))
        return tf.concat(found, axis=1)
