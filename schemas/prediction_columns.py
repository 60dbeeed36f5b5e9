"""Names of the columns that batch predictions have.

row_id                    always the first
probability               of yes, for a yes/no label
class, probabilities      the most likely class by its name, and a probability for each class, in their order
value                     the predicted number
"""

from __future__ import annotations

from schemas.features import BinaryLabel, Label, NumericLabel

ROW_ID = "row_id"
PROBABILITY = "probability"
CLASS = "class"
PROBABILITIES = "probabilities"
VALUE = "value"


def prediction_columns(label: Label) -> tuple[str, ...]:
    """The columns that stand for the served model's `predictions` of a label."""
    if isinstance(label, BinaryLabel):
        return (PROBABILITY,)
    return (VALUE,) if isinstance(label, NumericLabel) else (CLASS, PROBABILITIES)
