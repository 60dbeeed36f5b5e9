"""Regression over tf.Examples: Regress of gRPC and REST, and MultiInference."""

from __future__ import annotations

from collections.abc import Sequence

from tensorflow_serving.apis import regression_pb2

from serving.server.servable import Servable


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
    raise NotImplementedError
