"""Stochastic gradient descent without momentum."""

from __future__ import annotations

import tensorflow as tf


class PlainSGD(tf.keras.optimizers.SGD):
    """w - rate * gradient, and nothing else.

    Keras's SGD takes the same way through a momentum variable where momentum is 0. Workers of parameter servers share
    that variable, and would add each other's gradients a second time.
    """

    def build(self, var_list: list[tf.Variable]) -> None:
        """Makes no momentum variables."""
        super(tf.keras.optimizers.SGD, self).build(var_list)
        self._built = True

    def update_step(self, gradient: tf.Tensor | tf.IndexedSlices, variable: tf.Variable) -> None:
        """Moves one variable."""
        rate = tf.cast(self.learning_rate, variable.dtype)
        if isinstance(gradient, tf.IndexedSlices):
            variable.scatter_add(tf.IndexedSlices(-gradient.values * rate, gradient.indices))
        else:
            variable.assign_add(-gradient * rate)
