"""What `/monitoring/canary` of our model server tells: canaries that are tried, and what became of the requests.

Counts begin at 0 with each canary, and with each start of the server.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, model_validator

from serving.seen_traffic import SeenTraffic
from serving.traffic_split import TrafficSplit

PATH = "/monitoring/canary"


class CanarySeen(BaseModel):
    """One model's.

    Attributes:
        start: another one whenever the counts have begun at 0.
        split: versions, and the canary's part.
        seen: requests for predictions by version: those to `stable`, to `canary`, and without label and version.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: str
    split: TrafficSplit
    seen: dict[int, SeenTraffic]

    @model_validator(mode="after")
    def _check_versions(self) -> CanarySeen:
        if self.seen.keys() != {self.split.stable, self.split.canary}:
            raise ValueError(f"seen must be of versions {self.split.stable} and {self.split.canary}")
        return self


class CanariesSeen(BaseModel):
    """The document, by model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: dict[str, CanarySeen]
