"""What a model takes and gives, as a server's metadata tell it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.errors import ServingError

_DTYPES = {
    "DT_HALF": np.float16,
    "DT_FLOAT": np.float32,
    "DT_DOUBLE": np.float64,
    "DT_INT8": np.int8,
    "DT_INT16": np.int16,
    "DT_INT32": np.int32,
    "DT_INT64": np.int64,
    "DT_UINT8": np.uint8,
    "DT_UINT16": np.uint16,
    "DT_UINT32": np.uint32,
    "DT_UINT64": np.uint64,
    "DT_BOOL": np.bool_,
    "DT_STRING": np.object_,
}
_ROWS = "predict"
_DEFAULT = "serving_default"
_HIDDEN = "__"


@dataclass(frozen=True)
class TensorSpec:
    """One input or output.

    Attributes:
        dtype: object stands for bytes.
        shape: -1 is any length; None is any rank.
    """

    dtype: npt.DTypeLike
    shape: tuple[int, ...] | None

    @classmethod
    def of(cls, info: Mapping[str, Any], where: str) -> TensorSpec:
        """From a TensorInfo as JSON.

        Raises:
            ServingError: numpy has no such dtype.
        """
        name = info.get("dtype", "DT_INVALID")
        if name not in _DTYPES:
            raise ServingError(
                "The model has a tensor of a type that this client does not know.",
                where=where,
                received=name,
                fix=f"Choose a signature of {', '.join(sorted(_DTYPES))}.",
            )
        shape = info.get("tensor_shape", {})
        if shape.get("unknown_rank"):
            return cls(_DTYPES[name], None)
        return cls(_DTYPES[name], tuple(int(one.get("size", 0)) for one in shape.get("dim", ())))


@dataclass(frozen=True)
class Signature:
    """One signature of a model.

    Attributes:
        name: as requests name it.
        inputs: by key.
        outputs: by key.
    """

    name: str
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]


def signatures(metadata: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The signatures in a GetModelMetadataResponse as JSON, by name.

    Raises:
        ServingError: it is something else.
    """
    try:
        found: dict[str, dict[str, Any]] = metadata["metadata"]["signature_def"]["signature_def"]
        return {name: one for name, one in found.items() if not name.startswith(_HIDDEN)}
    except (KeyError, TypeError, AttributeError) as error:
        raise ServingError(
            "What answers is no model server: its metadata of the model have no signatures.",
            received=str(metadata)[:200],
            fix="Name the address of TensorFlow Serving, or of `scalable-tf serve`.",
        ) from error


def chosen(metadata: Mapping[str, Any], name: str = "") -> Signature:
    """The signature of a name; without one, `predict`, which takes named columns, or else `serving_default`.

    Raises:
        ServingError: there is no such signature, or it has a tensor of a type that numpy lacks.
    """
    found = signatures(metadata)
    wanted = name or (_ROWS if _ROWS in found else _DEFAULT)
    if wanted not in found:
        near = get_close_matches(wanted, found, n=1)
        raise ServingError(
            "The model has no such signature.",
            where="signature",
            received=wanted,
            fix=f"{f'Did you mean {near[0]}? ' if near else ''}It has {', '.join(sorted(found)) or 'none'}.",
        )
    fields = found[wanted]
    inputs, outputs = (
        {key: TensorSpec.of(info, f"signature {wanted}, {key}") for key, info in sorted(fields.get(side, {}).items())}
        for side in ("inputs", "outputs")
    )
    return Signature(wanted, inputs, outputs)
