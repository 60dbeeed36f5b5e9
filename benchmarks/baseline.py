"""scikit-learn's gradient boosting on the raw columns of a feature table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from schemas.features import Categorical, ColumnSpec, FeatureTable, Hashed, Integer, Text

_MOST_CATEGORIES = 254
"""HistGradientBoosting takes 255 at most, and one is for what is rare."""

_Columns = Mapping[str, npt.NDArray[np.generic]]


@dataclass(frozen=True)
class Baseline:
    """A fitted classifier and the columns that it reads, in their order."""

    columns: tuple[str, ...]
    categorical: tuple[str, ...]
    model: Pipeline

    def predict(self, rows: _Columns) -> npt.NDArray[np.float64]:
        """Probabilities of 1, [rows]."""
        scores: npt.NDArray[np.float64] = self.model.predict_proba(_matrix(rows, self.columns))[:, 1]
        return scores


def fit_baseline(table: FeatureTable, rows: _Columns, labels: npt.NDArray[np.float64], seed: int) -> Baseline:
    """Trains HistGradientBoostingClassifier with scikit-learn's defaults.

    A column is categorical when it is text, or when the feature table reads it as a category (categorical, hashed,
    integer); categories are ordinal codes, the rarest beyond 254 share one, and values that training has not seen
    count as missing. Every other column is a number. Missing values stay missing, which the algorithm handles.

    Args:
        table: says which columns there are, and which are categorical.
        rows: `table.inputs`, as `benchmarks.examples.read_columns` gives them.
        labels: 0.0 or 1.0, [rows].
        seed: of the classifier.
    """
    columns = tuple(table.inputs)
    categorical = tuple(name for name in columns if name in categorical_columns(table))
    places = [columns.index(name) for name in categorical]
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
        encoded_missing_value=np.nan,
        max_categories=_MOST_CATEGORIES,
    )
    # The transformer puts the encoded columns first.
    model: Any = make_pipeline(
        make_column_transformer((codes, places), remainder="passthrough"),
        HistGradientBoostingClassifier(categorical_features=list(range(len(places))), random_state=seed),
    )
    model.fit(_matrix(rows, columns), labels)
    return Baseline(columns, categorical, model)


def categorical_columns(table: FeatureTable) -> frozenset[str]:
    """Columns that hold text, or that the feature table reads as categories."""
    found = {name for name, dtype in table.inputs.items() if dtype == "string"}
    for name, spec in table.features.items():
        if isinstance(spec, (Categorical, Hashed, Integer, Text)) and isinstance(spec, ColumnSpec):
            found.add(spec.column or name)
    return frozenset(found)


def _matrix(rows: _Columns, columns: tuple[str, ...]) -> npt.NDArray[np.object_]:
    """Objects [rows, columns]; a missing text is NaN, as scikit-learn wants it."""
    matrix = np.empty((len(rows[columns[0]]), len(columns)), dtype=object)
    for place, name in enumerate(columns):
        values = rows[name]
        matrix[:, place] = np.where(values == b"", np.nan, values) if values.dtype == object else values
    return matrix
