"""scikit-learn's gradient boosting on the raw columns of a feature table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from schemas.features import BinaryLabel, FeatureTable, NumericLabel

_MOST_CATEGORIES = 254
"""HistGradientBoosting takes 255 at most, and one is for what is rare."""

_Columns = Mapping[str, npt.NDArray[np.generic]]


@dataclass(frozen=True)
class Baseline:
    """A fitted model, the columns that it reads, in their order, and its classes (yes/no: 1, a number: 0)."""

    columns: tuple[str, ...]
    categorical: tuple[str, ...]
    model: Pipeline
    classes: int

    def predict(self, rows: _Columns) -> npt.NDArray[np.float64]:
        """Probabilities of yes, [rows]; of classes, [rows, classes]; or numbers, [rows]."""
        matrix = _matrix(rows, self.columns)
        if not self.classes:
            numbers: npt.NDArray[np.float64] = self.model.predict(matrix)
            return numbers
        scores = np.zeros((len(matrix), max(self.classes, 2)))
        scores[:, self.model.classes_.astype(int)] = self.model.predict_proba(matrix)
        return scores[:, 1] if self.classes == 1 else scores


def fit_baseline(
    table: FeatureTable, rows: _Columns, labels: npt.NDArray[np.float64], seed: int, error: str | None = None
) -> Baseline:
    """Trains HistGradientBoosting, the classifier or the regressor by the label's kind, with scikit-learn's defaults.

    Columns of text are categorical: ordinal codes, of which the rarest beyond 254 share one; values that training has
    not seen count as missing. Columns of numbers are numbers, also those that the feature table reads as categories: on
    the taxi sample the classifier is a little better so. Missing values stay missing, which the algorithm handles.

    Args:
        table: says which columns there are, and of which type.
        rows: `table.inputs`, as `benchmarks.examples.read_columns` gives them.
        labels: 0.0 or 1.0, class numbers, or numbers, [rows].
        seed: of the model.
        error: of a number: `absolute`, or squared.
    """
    columns = tuple(table.inputs)
    categorical = tuple(name for name in columns if table.inputs[name] == "string")
    places = [columns.index(name) for name in categorical]
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=np.nan,
        max_categories=_MOST_CATEGORIES,
    )
    # The transformer puts the encoded columns first.
    options: dict[str, Any] = {"categorical_features": list(range(len(places))), "random_state": seed}
    label, classes = table.label, 0
    if isinstance(label, NumericLabel):
        estimator: Any = HistGradientBoostingRegressor(loss=f"{error or 'squared'}_error", **options)
    else:
        estimator = HistGradientBoostingClassifier(**options)
        classes = 1 if isinstance(label, BinaryLabel) else len(label.class_names)
    model: Any = make_pipeline(make_column_transformer((codes, places), remainder="passthrough"), estimator)
    model.fit(_matrix(rows, columns), labels)
    return Baseline(columns, categorical, model, classes)


def _matrix(rows: _Columns, columns: tuple[str, ...]) -> npt.NDArray[np.object_]:
    """Objects [rows, columns]; a missing text is NaN, as scikit-learn wants it."""
    matrix = np.empty((len(rows[columns[0]]), len(columns)), dtype=object)
    for place, name in enumerate(columns):
        values = rows[name]
        matrix[:, place] = np.where(values == b"", np.nan, values) if values.dtype == object else values
    return matrix
