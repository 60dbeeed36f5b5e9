"""A training that begins with the weights of an earlier model."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from models.category_embedding import CategoryEmbedding
from models.head import Output
from models.log_frequency import LogFrequency
from models.meaning import IdLayout, Meaning
from models.network import Network
from models.token_embedding import TokenEmbedding
from schemas.transformed import ModelInput

_LOG = logging.getLogger(__name__)
_WEIGHT = "weights/{}/.ATTRIBUTES/VARIABLE_VALUE"  # of models.signatures.ServingModule, in a SavedModel

Values = npt.NDArray[np.floating[Any]]


def warm_start(model: Network, inputs: Sequence[ModelInput], meaning: Meaning, base: str) -> bool:
    """Gives a new model the weights of an earlier one.

    Rows of embedding tables follow the values that they stand for, since two trainings have two vocabularies. A value
    that is new begins where unknown values ended. Ids that no vocabulary tells apart, as those of hashes, keep their
    rows where there are as many of them as before. Where the models have other layers or sizes nothing is taken: half
    of a model is worth less than a new one. The log says which it was, and why.

    Args:
        model: with its variables made and initialised.
        inputs: the model's.
        meaning: the model's.
        base: folder of the earlier SavedModel, which `models.run_fn` exported.

    Returns:
        Whether the weights were taken.
    """
    earlier = Meaning.load(inputs, base)
    values = None if earlier is None else _values(model, meaning, earlier, base)
    if values is None:
        _LOG.warning("Training begins from scratch: the model in %s has other layers, sizes or inputs", base)
        return False
    for variable, value in zip(model.weights, values, strict=True):
        variable.assign(value)
    _LOG.info("Training begins with the weights of %s", base)
    return True


def _values(model: Network, meaning: Meaning, earlier: Meaning, base: str) -> list[Values] | None:
    """The earlier values of all weights in the new model's shapes; None where the models do not fit."""
    reader = tf.train.load_checkpoint(os.path.join(base, "variables", "variables"))
    keys_of, factors, counted = {}, {}, set()
    for layer in model.submodules:
        if isinstance(layer, (CategoryEmbedding, TokenEmbedding)):
            keys_of.update({id(table): [one.key for one in group] for table, group in layer.tables})
        elif isinstance(layer, Output):
            factors.update({id(weight): earlier.scale / meaning.scale for weight in layer.weights})
        elif isinstance(layer, LogFrequency):
            counted.add(id(layer.table))  # of the new rows, and not trained
    found: list[Values] = []
    for number, variable in enumerate(model.weights):
        key = _WEIGHT.format(number)
        value: Values | None = reader.get_tensor(key) if reader.has_tensor(key) else None
        if value is not None and id(variable) in counted:
            value = _array(variable)
        elif value is not None and id(variable) in keys_of:
            value = _moved(value, _array(variable), keys_of[id(variable)], meaning, earlier)
        if value is None or value.shape != tuple(variable.shape):
            return None
        found.append(value * factors.get(id(variable), 1.0))
    return None if reader.has_tensor(_WEIGHT.format(len(found))) else found


def _moved(table: Values, new: Values, keys: Sequence[str], meaning: Meaning, earlier: Meaning) -> Values | None:
    """An earlier table of several inputs, one below the other, in the new one's order of rows."""
    if any(key not in earlier.ids for key in keys) or table.shape[1:] != new.shape[1:]:
        return None
    if len(table) != sum(earlier.ids[key].size for key in keys):
        return None
    parts, first, new_first = [], 0, 0
    for key in keys:
        old, now = earlier.ids[key], meaning.ids[key]
        part = follow_values(table[first : first + old.size], new[new_first : new_first + now.size], old=old, now=now)
        if part is None:
            return None
        parts.append(part)
        first, new_first = first + old.size, new_first + now.size
    return np.concatenate(parts)


def follow_values(table: Values, new: Values, *, old: IdLayout, now: IdLayout) -> Values | None:
    """Rows of an earlier table at the ids that their values now have.

    Args:
        table: the earlier rows, [old.size, width].
        new: what a row is that has no earlier one, [now.size, width].
        old: what the earlier ids stood for.
        now: what the ids stand for.

    Returns:
        [now.size, width]; None where the ids cannot be told.
    """
    if old.vocabulary is None or now.vocabulary is None:
        return table if old.vocabulary is now.vocabulary and old.size == now.size else None
    rows = new.copy()
    if old.unknown:
        rows[now.first : now.size - now.last] = table[old.unknown].mean(axis=0)
    place = {value: old.first + number for number, value in enumerate(old.vocabulary)}
    known = [(now.first + number, place[value]) for number, value in enumerate(now.vocabulary) if value in place]
    if known:
        rows[[to for to, _ in known]] = table[[of for _, of in known]]
    rows[: now.first] = table[: old.first]
    rows[now.size - now.last :] = table[old.size - old.last :]
    if len(old.unknown) == len(now.unknown):
        rows[now.unknown] = table[old.unknown]
    return rows


def _array(variable: Any) -> Values:
    parts = getattr(variable, "variables", [variable])  # of one shared by parameter servers
    return np.concatenate([part.numpy() for part in parts])
