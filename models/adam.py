"""Adam with one operation a variable."""

from __future__ import annotations

import tensorflow as tf


class Adam(tf.keras.optimizers.Adam):
    """Keras's Adam, each dense update by TensorFlow's one operation for it.

        m = m + (1 - beta_1) (g - m);  v = v + (1 - beta_2) (g * g - v);  w = w - alpha m / (sqrt(v) + epsilon)

    Keras makes the same of some twenty operations a variable, half of a step's in a small model: they take time in
    every step, and more of it when the step is traced. Sparse gradients, and `amsgrad`, go Keras's way.

    Source: Kingma & Ba 2015, https://arxiv.org/abs/1412.6980, the form before section 2.1.
    """

    def update_step(self, gradient: tf.Tensor | tf.IndexedSlices, variable: tf.Variable) -> None:
        """Moves one variable."""
        if isinstance(gradient, tf.IndexedSlices) or self.amsgrad:
            super().update_step(gradient, variable)
            return
        number = self._index_dict[self._var_key(variable)]
        step = tf.cast(self.iterations + 1, variable.dtype)
        beta_1, beta_2 = (tf.constant(beta, variable.dtype) for beta in (self.beta_1, self.beta_2))
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[number].handle,
            v=self._velocities[number].handle,
            beta1_power=tf.pow(beta_1, step),
            beta2_power=tf.pow(beta_2, step),
            lr=tf.cast(self.learning_rate, variable.dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.constant(self.epsilon, variable.dtype),
            grad=gradient,
            use_locking=True,  # workers of parameter servers share the variables
        )
