"""What a model predicts, decided by the label: the last layer, the loss, the metrics and the form of predictions."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from schemas.errors import TrainingError
from schemas.features import BinaryLabel, IntegerLabel, Label, OneHotLabel


@dataclass(frozen=True)
class Head:
    """The kind of prediction.

    Attributes:
        kind: `binary`, `classes` or `number`.
        units: outputs of the last layer: 1, or the number of classes.
        bias: where training starts, [units]: the log-odds of the labels' frequencies, or their mean.
        scale: of a number: the labels' standard deviation, by which the last layer's output is multiplied.
    """

    kind: str
    units: int
    bias: npt.NDArray[np.float32] = field(repr=False)
    scale: float = 1.0

    @classmethod
    def of(cls, label: Label, values: npt.NDArray[np.generic]) -> Head:
        """The head for a label, started from the training labels.

        Args:
            label: the feature table's label.
            values: transformed training labels, [rows]: 0 or 1, class numbers, or numbers.

        Raises:
            TrainingError: only one class, a class number that does not exist, or a number that is not finite.
        """
        if not isinstance(label, (BinaryLabel, IntegerLabel, OneHotLabel)):
            return cls._of_number(values.astype(np.float64))
        size = 2 if isinstance(label, BinaryLabel) else len(label.class_names)
        numbers = values.astype(np.int64)
        if numbers.min() < 0 or numbers.max() >= size:
            raise TrainingError(
                "The training labels hold a class that does not exist.",
                where="label",
                received=int(numbers.min() if numbers.min() < 0 else numbers.max()),
                fix=f"Classes are 0 to {size - 1}; correct label.classes or the data.",
            )
        counts = np.bincount(numbers, minlength=size)
        if np.count_nonzero(counts) < 2:
            raise TrainingError(
                "All training labels are the same: there is nothing to learn.",
                where="label",
                received=f"class {int(counts.argmax())} in all of {len(numbers)} rows",
                fix="Check the label's expression or column, and that the data holds both outcomes.",
            )
        # One is added to each count, so that a class that has not been seen is unlikely and not impossible.
        odds = np.log((counts + 1.0) / (counts.sum() + size))
        if isinstance(label, BinaryLabel):
            return cls("binary", 1, np.array([odds[1] - odds[0]], np.float32))
        return cls("classes", size, odds.astype(np.float32))

    @classmethod
    def _of_number(cls, values: npt.NDArray[np.float64]) -> Head:
        if not np.isfinite(values).all():
            raise TrainingError(
                "A training label is not a finite number.",
                where="label",
                received=values[~np.isfinite(values)][0],
                fix="Remove the row, or set data.unlabelled to drop if it is a missing value.",
            )
        return cls("number", 1, np.array([values.mean()], np.float32), float(values.std()) or 1.0)

    def layer(self) -> tf.keras.layers.Layer:
        """The last layer, in float32 whatever the others are: logits [batch, units], or numbers [batch, 1]."""
        return Output(self.units, self.bias, self.scale, name="output")

    def loss(self, error: str | None = None) -> tf.keras.losses.Loss:
        """Cross-entropy of logits, or a number's error.

        Args:
            error: `absolute`, or squared.
        """
        if self.kind == "binary":
            return tf.keras.losses.BinaryCrossentropy(from_logits=True)
        if self.kind == "classes":
            return tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return tf.keras.losses.MeanAbsoluteError() if error == "absolute" else tf.keras.losses.MeanSquaredError()

    def metrics(self) -> list[tf.keras.metrics.Metric]:
        """What is reported after each epoch."""
        if self.kind == "binary":
            return [
                tf.keras.metrics.AUC(name="auc", from_logits=True),
                tf.keras.metrics.BinaryAccuracy("accuracy", threshold=0.0),
            ]
        if self.kind == "classes":
            return [tf.keras.metrics.SparseCategoricalAccuracy("accuracy")]
        return [
            tf.keras.metrics.RootMeanSquaredError("root_mean_squared_error"),
            tf.keras.metrics.MeanAbsoluteError("mean_absolute_error"),
        ]

    def predictions(self, outputs: tf.Tensor) -> tf.Tensor:
        """Predictions from the outputs: P(yes) [batch, 1], P(class) [batch, classes], or numbers [batch, 1]."""
        if self.kind == "binary":
            return tf.math.sigmoid(outputs)
        if self.kind == "classes":
            return tf.nn.softmax(outputs)
        return outputs


class Output(tf.keras.layers.Layer):
    """scale * W x + bias, in float32.

    Args:
        units: outputs.
        bias: first values of the bias, [units].
        scale: a constant factor; default 1.

    Call arguments:
        x: float [batch, n].

    Returns:
        float32 [batch, units].
    """

    def __init__(self, units: int, bias: npt.NDArray[np.float32], scale: float = 1.0, **kwargs: object) -> None:
        super().__init__(dtype="float32", **kwargs)
        self._units, self._first_bias, self._scale = units, bias, scale

    def build(self, shape: tf.TensorShape) -> None:
        """Makes W [n, units] and the bias [units], the latter in units of `scale`."""
        first = tf.keras.initializers.Constant(self._first_bias / self._scale)
        self.kernel = self.add_weight("kernel", (shape[-1], self._units))
        self.bias = self.add_weight("bias", (self._units,), initializer=first)
        super().build(shape)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """The outputs."""
        return self._scale * (tf.linalg.matmul(x, self.kernel) + self.bias)
