"""Classification of tf.Examples: Classify of gRPC and REST, and MultiInference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tensorflow_serving.apis import classification_pb2

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

CLASSIFY = "Classify"
_CLASSES = "classes"
_SCORES = "scores"


def classify(
    servable: Servable,
    signature: str | None,
    examples: Sequence[bytes],
    deadline: float | None = None,
    *,
    api: str = CLASSIFY,
) -> classification_pb2.ClassificationResult:
    """Labels and scores of each example.

    Args:
        servable: the model's version.
        signature: its name; default: `serving_default`.
        examples: serialized tf.Examples, at least one.
        deadline: of `time.monotonic()`.
        api: for which it is counted; of another one, the examples are not.

    Raises:
        RequestError: INVALID_ARGUMENT: the signature is not there or does not classify; whatever running it raises.
    """
    name = signature or DEFAULT_SIGNATURE
    wanted = classification_outputs(servable, name)
    found = servable.run(name, {INPUTS: example_array(examples)}, wanted, deadline, api=api)
    if api == CLASSIFY:
        servable.runs.examples(servable.name, len(examples))
    for key, dtype_name in ((_CLASSES, "DT_STRING"), (_SCORES, "DT_FLOAT")):
        if key not in found:
            continue
        value = found[key]
        if value.ndim != 2:
            raise invalid(f"Expected Tensor shape: [batch_size num_classes] but got {shape_text(value)}")
        if dtype_symbol(value) != dtype_name:
            raise invalid(f"Expected {key} Tensor of {dtype_name}. Got: {dtype_symbol(value)}")
        if len(value) != len(examples):
            raise invalid(f"Expected {key} output batch size of {len(examples)}. Got: {len(value)}")
    if len({value.shape[1] for value in found.values()}) != 1:
        raise invalid(
            "Tensors class and score should match in dim_size(1). "
            f"Got {found[_CLASSES].shape[1]} vs. {found[_SCORES].shape[1]}"
        )
    result = classification_pb2.ClassificationResult()
    # A field that is not set is an empty label, or a score of 0.
    rows: list[list[dict[str, Any]]] = [[{} for _ in row] for row in next(iter(found.values()))]
    for key, field in ((_CLASSES, "label"), (_SCORES, "score")):
        for fields, values in zip(rows, found[key].tolist() if key in found else (), strict=False):
            for one, value in zip(fields, values, strict=True):
                one[field] = value
    for row in rows:
        result.classifications.add().classes.extend(classification_pb2.Class(**fields) for fields in row)
    return result


def classification_outputs(servable: Servable, name: str) -> list[str]:
    """Which outputs of a signature classify.

    Raises:
        RequestError: INVALID_ARGUMENT: the signature is not there or does not classify.
    """
    signature = check_signature(servable, name)
    if len(signature.outputs) not in (1, 2):
        raise invalid(f"Expected one or two output Tensors, found {len(signature.outputs)}")
    check_input(signature, "classification")
    wanted = [key for key in (_CLASSES, _SCORES) if key in signature.outputs]
    if not wanted:
        raise invalid(
            f'Expected classification signature outputs to contain at least one of "{_CLASSES}" or "{_SCORES}". '
            f"Signature was: {signature}"
        )
    return wanted
