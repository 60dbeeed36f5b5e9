"""The state of one version of a model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class VersionState:
    """What TensorFlow Serving's GetModelStatus tells of one version.

    Attributes:
        version: its number.
        state: START, LOADING, AVAILABLE, UNLOADING or END.
        error_code: OK, or gRPC's name for why it is not available: NOT_FOUND, UNKNOWN ...
        error_message: what happened; empty with OK.
    """

    version: int
    state: str
    error_code: str = "OK"
    error_message: str = ""
