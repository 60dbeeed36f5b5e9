"""What the disk says of an artifact that ML Metadata knows."""

from __future__ import annotations

import os
from typing import Any, Literal

from schemas.artifact_contents import is_altered

OnDisk = Literal["there", "altered", "gone"]


def on_disk(artifact: Any) -> OnDisk:
    """Whether its files are there, as they were published, altered since, or gone."""
    if not os.path.exists(artifact.uri):
        return "gone"
    return "altered" if is_altered(artifact) else "there"


def remark(state: str, disk: OnDisk) -> str:
    """What is to be said of an artifact that is not live, or not there as it was; else nothing."""
    words = [] if state == "live" else [state]
    if disk != "there":
        words.append("altered on disk" if disk == "altered" else "not on disk")
    return "".join(f", {word}" for word in words)
