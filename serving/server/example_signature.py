"""Signatures that take serialized tf.Examples: what Classify and Regress have in common."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from serving.server.request_error import invalid
from serving.server.servable import DEFAULT_SIGNATURE, Servable

INPUTS = "inputs"


def check_signature(servable: Servable, signature: str | None, kind: str) -> str:
    """The name of the signature.

    Args:
        servable: the model's version.
        signature: its name; default: `serving_default`.
        kind: what it is asked for, for messages: `classification` or `regression`.

    Raises:
        RequestError: INVALID_ARGUMENT: it is not there, or takes other inputs.
    """
    name = signature or DEFAULT_SIGNATURE
    found = servable.signatures.get(name)
    if found is None:
        raise invalid(f"No signature was found with the name: {name}")
    # Its method name is not looked at: what TensorFlow 2 exports says predict of every signature.
    if len(found.inputs) != 1:
        raise invalid("Expected one input Tensor.")
    if INPUTS not in found.inputs:
        raise invalid(f"No {kind} inputs found in SignatureDef: {found}")
    return name


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
