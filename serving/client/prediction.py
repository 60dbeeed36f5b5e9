"""What a server answers."""

from __future__ import annotations

from dataclasses import dataclass

from serving.client.columns import Columns


@dataclass(frozen=True)
class Prediction:
    """Outputs of a model.

    Attributes:
        outputs: arrays by key, of the signature's types; texts are bytes in arrays of objects.
        version: the version that answered, which REST does not tell: None.
    """

    outputs: Columns
    version: int | None = None
