"""Signatures that take serialized tf.Examples: what Classify and Regress have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow.core.framework.types_pb2 import DataType
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

from serving.server.request_error import invalid
from serving.server.servable import Servable

INPUTS = "inputs"


def check_signature(servable: Servable, name: str) -> SignatureDef:
    """A signature with one input.

    Raises:
        RequestError: INVALID_ARGUMENT: it is not there, or has more inputs.
    """
    found = servable.signatures.get(name)
    if found is None:
        raise invalid(f"No signature was found with the name: {name}")
    # Its method name is not looked at: what TensorFlow 2 exports says predict of every signature.
    if len(found.inputs) != 1:
        raise invalid("Expected one input Tensor.")
    return found


def check_input(signature: SignatureDef, kind: str) -> None:
    """Checks the name of the only input.

    Args:
        signature: one of `check_signature`.
        kind: what it is asked for, for messages: `classification` or `regression`.

    Raises:
        RequestError: INVALID_ARGUMENT: it has another name.
    """
    if INPUTS not in signature.inputs:
        raise invalid(f"No {kind} inputs found in SignatureDef: {signature}")


def shape_text(value: npt.NDArray[Any]) -> str:
    """An array's shape as TensorFlow's messages have it: [2,3]."""
    return f"[{','.join(map(str, value.shape))}]"


def dtype_symbol(value: npt.NDArray[Any]) -> str:
    """An array's dtype as TensorFlow's messages have it: DT_FLOAT."""
    return str(DataType.Name(tf.as_dtype(value.dtype).as_datatype_enum))


def example_array(examples: Sequence[bytes]) -> npt.NDArray[np.object_]:
    """Serialized examples as what a signature takes, [examples].

    Raises:
        RequestError: INVALID_ARGUMENT: there are none.
    """
    if not examples:
        raise invalid("Input is empty.")
    found = np.empty(len(examples), object)
    found[:] = examples
    return found
