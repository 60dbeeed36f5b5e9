"""All candidates that a recommender knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import numpy.typing as npt
import tensorflow_transform as tft

from configs.towers import Towers
from models.columns import Columns
from models.input_fn import Split
from models.network import feature_keys
from schemas.errors import TrainingError
from schemas.features import Categorical, FeatureTable, Integer
from schemas.transformed import LABEL_KEY, Category, ModelInput, transformed_name

_MISSING = "_missing"


@dataclass(frozen=True)
class Catalogue:
    """The candidates of the training rows, each once, in the order of their ids.

    Attributes:
        columns: {key: array [candidates, ...]}, the features of each where it first occurs.
        identity: key of the feature with the id.
        names: the raw values that the ids stand for, [candidates].
        wanted: rows with the label 1, [candidates].
        counts: rows of each id that there can be, those without a name too, [ids].
    """

    columns: Columns = field(repr=False)
    identity: str
    names: npt.NDArray[np.generic] = field(repr=False)
    wanted: npt.NDArray[np.int64] = field(repr=False)
    counts: npt.NDArray[np.int64] = field(repr=False)

    @classmethod
    def of(
        cls, split: Split, inputs: Sequence[ModelInput], names: npt.NDArray[np.generic], identity: Category
    ) -> Catalogue:
        """The candidates of a split.

        Args:
            split: the training rows.
            inputs: the candidate's features.
            names: the raw value of each id from 0 on; an id beyond, such as that of unknown values, is no candidate.
            identity: which of the inputs holds the id.
        """
        keys = (*feature_keys(inputs), LABEL_KEY)
        rows = split.read(keys)
        ids, first = np.unique(rows[identity.key].ravel(), return_index=True)
        first = first[ids < len(names)]
        ids = ids[ids < len(names)]
        yes = rows[identity.key][rows[LABEL_KEY].ravel() == 1].ravel()
        return cls(
            columns={key: rows[key][first] for key in feature_keys(inputs)},
            identity=identity.key,
            names=names[ids],
            wanted=np.bincount(yes, minlength=identity.size)[ids],
            counts=np.bincount(rows[identity.key].ravel(), minlength=identity.size),
        )

    @property
    def ids(self) -> npt.NDArray[np.int64]:
        """The id of each candidate, ascending, [candidates]."""
        return self.columns[self.identity].ravel().astype(np.int64)


def candidate_inputs(inputs: Sequence[ModelInput], towers: Towers) -> tuple[ModelInput, ...]:
    """The inputs that the candidate's features became."""
    keys = {transformed_name(name + ending) for name in towers.candidate for ending in ("", _MISSING)}
    return tuple(one for one in inputs if one.key in keys)


def identity_of(candidate: Sequence[ModelInput], towers: Towers) -> Category:
    """The input with the candidate's id.

    Raises:
        TrainingError: a preprocessing_fn made something else than a category of it.
    """
    key = transformed_name(towers.candidate[0])
    for one in candidate:
        if one.key == key and isinstance(one, Category):
            return one
    raise TrainingError(
        f"The feature that names the candidate did not become the category {key!r}.",
        where="model.towers.candidate",
        received=", ".join(one.key for one in candidate) or "none of the model's inputs",
        fix="Let transform.preprocessing_fn return an id, int64 [batch, 1] with a domain, under this key.",
    )


def candidate_names(table: FeatureTable, towers: Towers, transform: tft.TFTransformOutput) -> npt.NDArray[np.generic]:
    """The raw value of each id of the feature that names the candidate."""
    name = towers.candidate[0]
    spec = table.features[name]
    if isinstance(spec, Categorical):
        words = transform.vocabulary_by_name(name)
        return np.array([int(word) for word in words]) if spec.dtype == "int" else np.array(words, object)
    return np.arange(cast(Integer, spec).size)
