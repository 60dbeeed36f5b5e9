"""What a change of labels has come to."""

from __future__ import annotations

from dataclasses import dataclass

from serving.audit_log import AuditEntry
from serving.traffic_split import TrafficSplit


@dataclass(frozen=True)
class LabelChange:
    """A change that was made.

    Attributes:
        entry: the line of the audit log.
        split: the part of the live requests that goes to the canary from now on.
        notes: what did not work and changes nothing of it: servers that still hold what they no longer need.
    """

    entry: AuditEntry
    split: TrafficSplit
    notes: tuple[str, ...] = ()
