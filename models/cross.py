"""The cross layer of DCN-v2."""

from __future__ import annotations

import tensorflow as tf


class Cross(tf.keras.layers.Layer):
    """Multiplies the first input back in, so that layer l holds every product of up to l + 1 features.

        x_{l+1} = x_0 * (W x_l + b) + x_l

    Source: Wang et al. 2021, DCN V2, https://arxiv.org/abs/2008.13535, equation 1.

    Args:
        l2: weight of the L2 penalty on W; default 0.

    Call arguments:
        x0: float [batch, n], the input of the first cross layer.
        x: float [batch, n], the output of the layer before; default x0.

    Returns:
        float [batch, n].
    """

    def __init__(self, l2: float = 0.0, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self._regularizer = tf.keras.regularizers.L2(l2) if l2 else None

    def build(self, shape: tf.TensorShape) -> None:
        """Makes W [n, n] and b [n]."""
        size = shape[-1]
        self.kernel = self.add_weight(
            "kernel", (size, size), initializer="glorot_uniform", regularizer=self._regularizer
        )
        self.bias = self.add_weight("bias", (size,), initializer="zeros")
        super().build(shape)

    def call(self, x0: tf.Tensor, x: tf.Tensor | None = None) -> tf.Tensor:
        """x0 * (W x + b) + x."""
        x = x0 if x is None else x
        return x0 * (tf.linalg.matmul(x, self.kernel) + self.bias) + x
