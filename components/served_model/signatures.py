"""A SavedModel's answers to batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from schemas.errors import EvaluationError

Outputs = dict[str, npt.NDArray[Any]]


class Signatures:
    """Some signatures of a SavedModel.

    They run in a session of TensorFlow 1. `tf.saved_model.load` makes every function of the model in Python once more,
    which takes longer than the evaluation of some ten thousand rows; a session leaves them to TensorFlow's C++, as a
    model server does.

    Args:
        folder: of the SavedModel.
        names: of the signatures.
        gpus: whether they may use GPUs.
    """

    def __init__(self, folder: str, names: tuple[str, ...], *, gpus: bool = True) -> None:
        self._session = tf.compat.v1.Session(graph=tf.Graph(), config=_config(gpus))
        with self._session.graph.as_default():
            found = tf.compat.v1.saved_model.load(self._session, [tf.saved_model.SERVING], folder).signature_def
        self._inputs = {name: {key: one.name for key, one in found[name].inputs.items()} for name in names}
        self._outputs = {name: {key: one.name for key, one in found[name].outputs.items()} for name in names}

    def __call__(self, examples: npt.NDArray[np.object_]) -> dict[str, Outputs]:
        """Outputs of each signature.

        Args:
            examples: serialized, [rows].

        Raises:
            EvaluationError: a signature does not take one tensor, of serialized examples.
        """
        inputs = [_only(inputs, name) for name, inputs in self._inputs.items()]
        found: dict[str, Outputs] = self._session.run(self._outputs, dict.fromkeys(inputs, examples))
        return found

    def ask(self, name: str, inputs: Mapping[str, npt.NDArray[Any]]) -> Outputs:
        """Outputs of one signature.

        Args:
            name: of the signature.
            inputs: what it takes, by the keys of its inputs.
        """
        found: Outputs = self._session.run(
            self._outputs[name], {self._inputs[name][key]: value for key, value in inputs.items()}
        )
        return found


def _config(gpus: bool) -> tf.compat.v1.ConfigProto:
    """Functions become part of the graph as they are.

    By default TensorFlow optimizes each of them (Grappler) when it is first called, which takes a second.
    """
    config = tf.compat.v1.ConfigProto(device_count={} if gpus else {"GPU": 0})
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    config.graph_options.optimizer_options.do_function_inlining = True
    return config


def _only(inputs: Mapping[str, str], signature: str) -> str:
    """The tensor that takes the examples."""
    if len(inputs) != 1:
        raise EvaluationError(
            f"The signature {signature!r} of the model takes other inputs than serialized examples.",
            where="model",
            received=", ".join(sorted(inputs)),
            fix="Export it with one input, a tensor of serialized examples.",
        )
    (one,) = inputs.values()
    return one
