"""Regression over tf.Examples: Regress of gRPC and REST, and MultiInference."""

from __future__ import annotations

from collections.abc import Sequence

from tensorflow_serving.apis import regression_pb2

from serving.server.example_signature import (
    INPUTS,
    check_input,
    check_signature,
    dtype_symbol,
    example_array,
    shape_text,
)
from serving.server.request_error import invalid
from serving.server.servable import DEFAULT_SIGNATURE, Servable

REGRESS = "Regress"
_OUTPUTS = "outputs"


def regress(
    servable: Servable,
    signature: str | None,
    examples: Sequence[bytes],
    deadline: float | None = None,
    *,
    api: str = REGRESS,
) -> regression_pb2.RegressionResult:
    """One number for each example.

    Args:
        servable: the model's version.
        signature: its name; default: `serving_default`.
        examples: serialized tf.Examples, at least one.
        deadline: of `time.monotonic()`.
        api: for which it is counted; of another one, the examples are not.

    Raises:
        RequestError: INVALID_ARGUMENT: the signature is not there or does not regress; whatever running it raises.
    """
    name = signature or DEFAULT_SIGNATURE
    check_regression(servable, name)
    found = servable.run(name, {INPUTS: example_array(examples)}, [_OUTPUTS], deadline, api=api)[_OUTPUTS]
    if api == REGRESS:
        servable.runs.examples(servable.name, len(examples))
    if not (found.ndim == 1 or (found.ndim == 2 and found.shape[1] == 1)):
        raise invalid(
            f"Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got {shape_text(found)}"
        )
    if len(found) != len(examples):
        raise invalid(f"Input batch size did not match output batch size: {len(examples)} vs. {len(found)}")
    if dtype_symbol(found) != "DT_FLOAT":
        raise invalid(f"Expected output Tensor of DT_FLOAT.  Got: {dtype_symbol(found)}")
    result = regression_pb2.RegressionResult()
    for value in found.ravel().tolist():
        result.regressions.add().value = value
    return result


def check_regression(servable: Servable, name: str) -> None:
    """Checks that a signature regresses.

    Raises:
        RequestError: INVALID_ARGUMENT: the signature is not there or does not regress.
    """
    signature = check_signature(servable, name)
    if len(signature.outputs) != 1:
        raise invalid("Expected one output Tensor.")
    check_input(signature, "regression")
    if _OUTPUTS not in signature.outputs:
        raise invalid(f"No regression outputs found in SignatureDef: {signature}")
