"""Regression over tf.Examples: Regress of gRPC and REST, and MultiInference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tensorflow_serving.apis import regression_pb2

from serving.server.example_signature import INPUTS, check_signature, example_array
from serving.server.request_error import invalid
from serving.server.servable import Servable

_OUTPUTS = "outputs"


def regress(
    servable: Servable, signature: str | None, examples: Sequence[bytes], deadline: float | None = None
) -> regression_pb2.RegressionResult:
    """One number for each example.

    Args:
        servable: the model's version.
        signature: its name; default: `serving_default`.
        examples: serialized tf.Examples, at least one.
        deadline: of `time.monotonic()`.

    Raises:
        RequestError: INVALID_ARGUMENT: the signature is not there or does not regress; whatever running it raises.
    """
    name = check_signature(servable, signature, "regression")
    outputs = servable.signatures[name].outputs
    if len(outputs) != 1:
        raise invalid("Expected one output Tensor.")
    if _OUTPUTS not in outputs:
        raise invalid(f"No regression outputs found in SignatureDef: {servable.signatures[name]}")
    found = servable.run(name, {INPUTS: example_array(examples)}, [_OUTPUTS], deadline)[_OUTPUTS]
    if not (found.ndim == 1 or (found.ndim == 2 and found.shape[1] == 1)):
        raise invalid(
            f"Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got {list(found.shape)}"
        )
    if len(found) != len(examples):
        raise invalid(f"Input batch size did not match output batch size: {len(examples)} vs. {len(found)}")
    if found.dtype != np.float32:
        raise invalid(f"Expected output Tensor of DT_FLOAT. Got: {found.dtype.name}")
    result = regression_pb2.RegressionResult()
    for value in found.ravel().tolist():
        result.regressions.add().value = value
    return result
