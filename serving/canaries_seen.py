"""What `/monitoring/canary` of our model server tells: canaries that are tried, and what became of the requests.

Counts begin at 0 with each canary, and with each start of the server.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from serving.seen_traffic import SeenTraffic
from serving.traffic_split import TrafficSplit

PATH = "/monitoring/canary"


class CanarySeen(BaseModel):
    """One model's.

    Attributes:
        split: versions, and the canary's part.
        seen: requests for predictions by version: those to `stable`, to `canary`, and without label and version.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    split: TrafficSplit
    seen: dict[int, SeenTraffic]


class CanariesSeen(BaseModel):
    """The document, by model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: dict[str, CanarySeen]
