"""Types of artifacts that TFX lacks. Only components import this module: it needs TFX, which the settings must not."""

from __future__ import annotations

from tfx.types.artifact import Artifact


class GateReport(Artifact):
    """What AnomalyGate found, as `report.json`: every anomaly with its verdict, and the rows of each split."""

    TYPE_NAME = "GateReport"
