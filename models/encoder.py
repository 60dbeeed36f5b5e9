"""All inputs of a model as one vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf

from configs.settings import Pictures
from models.category_embedding import CategoryEmbedding
from models.picture_encoder import PictureEncoder
from models.token_embedding import TokenEmbedding
from schemas.transformed import Category, Dense, ModelInput, Picture, Tokens


class Encoder(tf.keras.layers.Layer):
    """Numbers as they are, then embeddings of categories, texts and pictures, side by side.

    Args:
        inputs: the model's inputs, from `schemas.transformed.model_inputs`.
        embedding_size: width of every embedding; default: by the size of each category, 64 for texts.
        pictures: how pictures are encoded.

    Call arguments:
        features: {key: tensor} as Transform gives them, shapes as in `schemas.transformed`.

    Returns:
        float [batch, n].
    """

    def __init__(
        self,
        inputs: Sequence[ModelInput],
        embedding_size: int | None = None,
        pictures: Pictures | None = None,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self._dense = [one.key for one in inputs if isinstance(one, Dense)]
        self._parts: list[tf.keras.layers.Layer] = []
        categories = [one for one in inputs if isinstance(one, Category)]
        if categories:
            self._parts.append(CategoryEmbedding(categories, embedding_size))
        self._parts += [TokenEmbedding(one, embedding_size) for one in inputs if isinstance(one, Tokens)]
        self._parts += [PictureEncoder(one, pictures) for one in inputs if isinstance(one, Picture)]

    def call(self, features: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Everything in one vector."""
        found = [features[key] for key in self._dense]
        found = [tf.cast(x, self.compute_dtype) for x in found] + [part(features) for part in self._parts]
        return tf.concat(found, axis=1)
