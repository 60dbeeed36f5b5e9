"""Tiny SavedModels for tests of servers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.python.data.experimental.ops import testing


def half_plus(folder: Path, plus: float) -> Path:
    """y = x / 2 + plus, as TensorFlow Serving's own test model: of TensorFlow 1, with every method.

    Signatures: `serving_default` (x [?, 1] to y), `classify_x_to_y`, `regress_x_to_y` (tf.Examples with x; they share
    their input), `regress_other` (an input of its own), `classify_scalar` (scores without a dimension for classes).
    """
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        a = v1.get_variable("a", initializer=0.5)
        b = v1.get_variable("b", initializer=np.float32(plus))
        serialized = v1.placeholder(tf.string, [None], "examples")
        parsed = tf.io.parse_example(serialized, {"x": tf.io.FixedLenFeature([1], tf.float32)})["x"]
        x = tf.identity(parsed, "x")
        y = tf.add(a * x, b, "y")
        labels = tf.strings.as_string(y, precision=1)
        other = v1.placeholder(tf.string, [None], "other")
        z = tf.io.parse_example(other, {"x": tf.io.FixedLenFeature([1], tf.float32)})["x"] + b
        info = v1.saved_model.build_tensor_info
        sign = v1.saved_model.build_signature_def
        classify, regress = tf.saved_model.CLASSIFY_METHOD_NAME, tf.saved_model.REGRESS_METHOD_NAME
        examples = {"inputs": info(serialized)}
        signatures = {
            "serving_default": sign({"x": info(x)}, {"y": info(y)}, tf.saved_model.PREDICT_METHOD_NAME),
            "classify_x_to_y": sign(examples, {"classes": info(labels), "scores": info(y)}, classify),
            "classify_scores": sign(examples, {"scores": info(y)}, classify),
            "classify_scalar": sign(examples, {"scores": info(tf.squeeze(y, 1))}, classify),
            "regress_x_to_y": sign(examples, {"outputs": info(y)}, regress),
            "regress_other": sign({"inputs": info(other)}, {"outputs": info(z)}, regress),
        }
        session.run(v1.global_variables_initializer())
        builder = v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(session, [tf.saved_model.SERVING], signatures)
        builder.save()
    return folder


class _Half(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a = tf.Variable(0.5)

    def _half_plus_2(self, examples: tf.Tensor) -> tf.Tensor:
        return self.a * tf.io.parse_example(examples, {"x": tf.io.FixedLenFeature([1], tf.float32)})["x"] + 2.0

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")])
    def regress(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"outputs": self._half_plus_2(inputs)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")])
    def classify(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"scores": self._half_plus_2(inputs)}


def half_plus_2(folder: Path) -> Path:
    """x / 2 + 2 of tf.Examples, of TensorFlow 2, which knows no methods: `classify_x_to_y` and `regress_x_to_y`."""
    module = _Half()
    signatures = {"classify_x_to_y": module.classify, "regress_x_to_y": module.regress}
    tf.saved_model.save(module, str(folder), signatures)
    return folder


class _Echo(tf.Module):
    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.int64, "long"),
            tf.TensorSpec([None], tf.uint64, "unsigned"),
            tf.TensorSpec([None], tf.string, "text"),
            tf.TensorSpec([None, 2], tf.float64, "pair"),
        ]
    )
    def __call__(self, long: tf.Tensor, unsigned: tf.Tensor, text: tf.Tensor, pair: tf.Tensor) -> dict[str, tf.Tensor]:
        return {
            "long": tf.identity(long),
            "unsigned": tf.identity(unsigned),
            "text": tf.identity(text),
            "pair": tf.identity(pair),
            "rows": tf.shape(long)[0],
        }

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, "divisor")])
    def divide(self, divisor: tf.Tensor) -> dict[str, tf.Tensor]:
        """12 divided by each; 0 is an error of the whole batch."""
        return {"quotient": 12 // divisor}


def echo(folder: Path) -> Path:
    """What it was given, of TensorFlow 2: `serving_default` (several types, and the number of rows) and `divide`."""
    module = _Echo()
    tf.saved_model.save(module, str(folder), {"serving_default": module.__call__, "divide": module.divide})
    return folder


class _Variant(tf.Module):
    def __init__(self, most: float, sleep_micros: int) -> None:
        super().__init__()
        self._most = most
        self._sleep_micros = sleep_micros

    @tf.function(input_signature=[tf.TensorSpec([None, 1], tf.float32, "x")])
    def half_plus_two(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        waited = tf.data.Dataset.range(1).apply(testing.sleep(self._sleep_micros)).reduce(0.0, lambda seen, _: seen)
        with tf.control_dependencies([tf.debugging.assert_less(x, self._most, "x is too large")]):
            return {"y": x / 2.0 + 2.0 + waited}


def half_plus_two_but(folder: Path, *, most: float = float("inf"), sleep_micros: int = 1) -> Path:
    """x [?, 1] to y = x / 2 + 2, as `half_plus` with 2; but an x of `most` or more is an error, and it waits."""
    module = _Variant(most, sleep_micros)
    tf.saved_model.save(module, str(folder), {"serving_default": module.half_plus_two})
    return folder
