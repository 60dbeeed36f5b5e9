"""Averages of the weights in their place."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


class AveragedWeights(tf.keras.callbacks.Callback):
    """Evaluates the optimizer's moving average of the weights, and goes on with the weights themselves.

    It exchanges the two when an evaluation begins, and back when the epoch ends: what keeps the best weights comes
    before it in the list of callbacks, and what saves the state of the training after it. At the end of a training
    the optimizer's `finalize_variable_values` leaves the averages in place.
    """

    def __init__(self) -> None:
        super().__init__()
        self._supports_tf_logs = True
        self._is_exchanged = False

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Puts the averages in."""
        if not self._is_exchanged:
            self._exchange()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Takes them out."""
        if self._is_exchanged:
            self._exchange()

    def _exchange(self) -> None:
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        for variable in self.model.trainable_variables:
            average = optimizer._model_variables_moving_average[optimizer._index_dict[optimizer._var_key(variable)]]
            weights = tf.identity(variable.read_value())
            variable.assign(average.read_value())
            average.assign(weights)
        self._is_exchanged = not self._is_exchanged
