"""Classification of tf.Examples: Classify of gRPC and REST, and MultiInference."""

from __future__ import annotations

from collections.abc import Sequence

from tensorflow_serving.apis import classification_pb2

from serving.server.servable import Servable


def classify(
    servable: Servable, signature: str | None, examples: Sequence[bytes], deadline: float | None = None
) -> classification_pb2.ClassificationResult:
    """Labels and scores of each example.

    Args:
        servable: the model's version.
        signature: its name; default: `serving_default`.
        examples: serialized tf.Examples, at least one.
        deadline: of `time.monotonic()`.

    Raises:
        RequestError: INVALID_ARGUMENT: the signature is not there or does not classify; whatever running it raises.
    """
    raise NotImplementedError
