"""A picture turned into a vector."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from configs.settings import Pictures
from models.picture_augmentation import PictureAugmentation
from schemas.transformed import Picture

_PATCHED_SIDE = 16
_MOMENTUM = 0.9


class PictureEncoder(tf.keras.layers.Layer):
    """A small residual network, then the mean over the picture.

        x = convolve(picture, 4x4, stride 2)           3x3 without a stride below 16 pixels
        x = convolve(pool(x));  x = x + convolve(x)    for each block, at half the resolution of what is before it

    Every convolution is followed by batch normalisation and ReLU. The first one halves the resolution, because on a CPU
    the convolutions at full resolution would take most of the time and add little.

    Source: He et al. 2016, https://arxiv.org/abs/1512.03385, of which each block keeps one residual convolution.

    Args:
        picture: the input.
        settings: channels, and what is varied in training. A small picture has fewer blocks.

    Call arguments:
        features: {picture.key: float [batch, height, width, channels]}.

    Returns:
        float [batch, channels of the last block].
    """

    def __init__(self, picture: Picture, settings: Pictures | None = None, **kwargs: object) -> None:
        super().__init__(**kwargs)
        settings = settings or Pictures()
        self._key = picture.key
        self._vary = PictureAugmentation(settings.flip, settings.shift)
        side = min(picture.height, picture.width)
        first, *rest = settings.filters
        if side >= _PATCHED_SIDE:
            self._first = _Convolution(first, size=4, stride=2)
            side //= 2
        else:
            self._first = _Convolution(first)
        self._blocks: list[tuple[_Convolution, _Convolution]] = []
        for channels in rest:
            side //= 2
            if side < 2:
                break
            self._blocks.append((_Convolution(channels), _Convolution(channels)))
        self._pool = tf.keras.layers.MaxPool2D()
        self._mean = tf.keras.layers.GlobalAveragePooling2D()

    def call(self, features: Mapping[str, tf.Tensor], training: bool | None = None) -> tf.Tensor:
        """The picture's vector."""
        x = self._first(self._vary(features[self._key], training=training), training=training)
        for convolution, residual in self._blocks:
            x = convolution(self._pool(x), training=training)
            x += residual(x, training=training)
        return self._mean(x)


class _Convolution(tf.keras.layers.Layer):
    """Convolution, batch normalisation, ReLU."""

    def __init__(self, channels: int, size: int = 3, stride: int = 1) -> None:
        super().__init__()
        self._convolution = tf.keras.layers.Conv2D(
            channels, size, stride, padding="same", use_bias=False, kernel_initializer="he_normal"
        )
        self._normalization = tf.keras.layers.BatchNormalization(momentum=_MOMENTUM)

    def call(self, x: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        return tf.nn.relu(self._normalization(self._convolution(x), training=training))
