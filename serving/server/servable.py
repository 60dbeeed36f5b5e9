"""One loaded version of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

Arrays = dict[str, npt.NDArray[Any]]

DEFAULT_SIGNATURE = "serving_default"


class Servable:
    """One version of a model, loaded from a SavedModel into a session of TensorFlow 1.

    Args:
        name: of the model.
        version: its number.
        path: folder of the SavedModel.

    Attributes:
        name: of the model.
        version: its number.
        signatures: by name, as the SavedModel has them: `method_name`, `inputs` and `outputs` (TensorInfo by key).
    """

    name: str
    version: int
    signatures: Mapping[str, SignatureDef]

    def __init__(self, name: str, version: int, path: Path) -> None:
        raise NotImplementedError

    def run(
        self,
        signature: str,
        feeds: Mapping[str, npt.NDArray[Any]],
        outputs: Sequence[str] | None = None,
        deadline: float | None = None,
    ) -> dict[str, np.ndarray[Any, Any]]:
        """What a signature answers.

        Args:
            signature: its name.
            feeds: values by the keys of the signature's inputs; strings as object arrays of bytes.
            outputs: keys of the outputs that are wanted; default: all.
            deadline: of `time.monotonic()`.

        Returns:
            Values by the keys of the outputs; strings as object arrays of bytes.

        Raises:
            RequestError: INVALID_ARGUMENT for what the signature does not take (its name, a key, a dtype, a shape) or
                the model refuses, DEADLINE_EXCEEDED, UNAVAILABLE (the queue of a batch is full), and whatever else
                TensorFlow says.
        """
        raise NotImplementedError
