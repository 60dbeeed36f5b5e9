"""What TFX lacks: types of artifacts, and names of custom properties that one component writes and another reads.

Only components and runners import this module: it needs TFX, which the settings must not.
"""

from __future__ import annotations

from tfx.types.artifact import Artifact

ROWS_PROPERTY = "rows"
"""Of Examples, from ExampleGen: JSON with the number of rows by split, `{"train": 2, "eval": 1}`."""
NOTES_PROPERTY = "notes"
"""Of Examples, from ExampleGen: JSON list of what is odd about the data, in words, for the report of the run."""
SPAN_PROPERTY = "span"
"""Of TransformCache, from Transform, and of ModelBlessing, from the Evaluator: number of the newest span in it."""
LABEL_PROPERTY = "label"
"""Of ModelBlessing, from the Evaluator: fingerprint of the label that the model predicts."""

BLESSED_PROPERTY = "blessed"
"""Of InfraBlessing, from SmokeCheck and from TFX's InfraValidator: 1 or 0."""
HAS_MODEL_PROPERTY = "has_model"
"""Of InfraBlessing, likewise: 1 where the model, with warm-up requests, is in its folder."""
REASON_PROPERTY = "reason"
"""Of InfraBlessing, from SmokeCheck, and of PushedModel, from Pusher: why a model is refused, in one line; or empty."""


class GateReport(Artifact):
    """What AnomalyGate found, as `report.json`: every anomaly with its verdict, and the rows of each split."""

    TYPE_NAME = "GateReport"
