"""What running a node took."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Usage:
    """Wall and processor seconds, and the peak memory of the node's own process in MiB."""

    seconds: float
    cpu_seconds: float
    peak_mib: float
