"""Loss and gradients of a batch."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from models.pieces import pieces_of

Gradient = Any  # a tensor, tf.IndexedSlices or None
Gradients = list[tuple[Gradient, tf.Variable]]


def gradients_of(model: tf.keras.Model, batch: Any, pieces: int = 1) -> tuple[tf.Tensor, Gradients]:
    """Loss and gradients of a replica's batch; the metrics of the model see it on the way.

    The loss is the model's: the sum of the examples' losses, each by its weight, divided by the rows of all replicas,
    and the losses of regularization divided by the number of replicas. Summed over the replicas that gives what one
    device gives for the whole batch.

    Args:
        model: a compiled model.
        batch: (features, label) or (features, label, weight).
        pieces: pieces in which the batch is computed, one after the other, so that no more than one of them takes
            memory. Each counts by its share of the rows, so that uneven ones give the same sums.

    Returns:
        The loss, and pairs of gradient and variable; a gradient is None where the loss does not depend on the variable.
        That of a table which is looked up for at least as many rows as it has is dense, as if all were looked up.
    """
    loss, gradients = _of_batch(model, batch, pieces)
    return loss, [(dense_where_small(gradient, variable), variable) for gradient, variable in gradients]


def _of_batch(model: tf.keras.Model, batch: Any, pieces: int) -> tuple[tf.Tensor, Gradients]:
    if pieces == 1:
        return _of_piece(model, batch)
    losses: list[tf.Tensor] = []
    sums: list[Gradient] = []
    for piece, share in pieces_of(batch, pieces):
        # Nothing else would keep TensorFlow from computing all pieces at once.
        with tf.control_dependencies([getattr(one, "values", one) for one in sums if one is not None]):
            loss, found = _of_piece(model, piece, share)
        losses.append(loss)
        gradients = [one for one, _ in found]
        sums = [_added(*pair) for pair in zip(sums, gradients, strict=True)] if sums else gradients
    return tf.add_n(losses), list(zip(sums, model.trainable_variables, strict=True))


def _of_piece(
    model: tf.keras.Model, piece: Any, share: Any = None
) -> tuple[tf.Tensor, list[tuple[Gradient, tf.Variable]]]:
    features, label, weight = tf.keras.utils.unpack_x_y_sample_weight(piece)
    with tf.GradientTape() as tape:
        outputs = model(features, training=True)
        loss = model.compute_loss(features, label, outputs, weight)
        if share is not None:
            loss *= tf.cast(share, loss.dtype)
    # The optimizer, not the tape: with float16 it scales the loss before, and the gradients back after.
    found = model.optimizer.compute_gradients(loss, model.trainable_variables, tape)
    model.compiled_metrics.update_state(label, outputs, weight)
    return loss, found


def dense_where_small(gradient: Gradient, variable: tf.Variable) -> Gradient:
    """Replicas exchange and optimizers apply one dense tensor sooner than as many rows with their numbers."""
    if isinstance(gradient, tf.IndexedSlices):
        rows = gradient.values.shape[0]
        # Of all replicas: their number must not decide what is clipped.
        if rows is not None and variable.shape[0] <= rows * tf.distribute.get_strategy().num_replicas_in_sync:
            return tf.convert_to_tensor(gradient)
    return gradient


def _added(before: Gradient, one: Gradient) -> Gradient:
    if before is None or one is None:
        return one if before is None else before
    if isinstance(one, tf.IndexedSlices):
        return tf.IndexedSlices(
            tf.concat([before.values, one.values], axis=0),
            tf.concat([before.indices, one.indices], axis=0),
            one.dense_shape,
        )
    return before + one
