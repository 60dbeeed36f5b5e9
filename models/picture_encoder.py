"""A picture turned into a vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf

from schemas.transformed import Picture


class PictureEncoder(tf.keras.layers.Layer):
    """A small convolutional network, then the mean over the picture.

    Each block is two 3x3 convolutions with batch normalisation and ReLU, at half the resolution of the block before.

    Args:
        picture: the input.
        filters: channels of each block; default (32, 64, 128). A small picture has fewer blocks.

    Call arguments:
        features: {picture.key: float [batch, height, width, channels]}.

    Returns:
        float [batch, channels of the last block].
    """

    def __init__(self, picture: Picture, filters: Sequence[int] = (32, 64, 128), **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._key = picture.key
        self._layers: list[tf.keras.layers.Layer] = []
        side = min(picture.height, picture.width)
        for channels in filters:
            for _ in range(2):
                self._layers += [
                    tf.keras.layers.Conv2D(channels, 3, padding="same", use_bias=False),
                    tf.keras.layers.BatchNormalization(),
                    tf.keras.layers.ReLU(),
                ]
            side //= 2
            if side < 2:
                break
            self._layers.append(tf.keras.layers.MaxPool2D())
        self._layers.append(tf.keras.layers.GlobalAveragePooling2D())

    def call(self, features: Mapping[str, tf.Tensor], training: bool | None = None) -> tf.Tensor:
        """The picture's vector."""
        x = features[self._key]
        for layer in self._layers:
            x = layer(x, training=training) if isinstance(layer, tf.keras.layers.BatchNormalization) else layer(x)
        return x
