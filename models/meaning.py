"""What the weights of a model are about, kept beside its SavedModel so that a later training can begin with them."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf
import tensorflow_transform as tft

from models.head import Head
from schemas.transformed import Category, ModelInput, Tokens, feature_name

_FILE = os.path.join("assets.extra", "meaning.json")
"""{"scale": the head's, "ids": {input key: {"size": number of ids, "vocabulary": file among the assets, or null}}}."""


@dataclass(frozen=True)
class IdLayout:
    """The ids of one input: some before the vocabulary, the vocabulary's, those of unknown values, some after them.

    Attributes:
        size: number of ids.
        first: id of the vocabulary's first value: 1 for tokens, whose 0 is padding, else 0.
        last: ids after those of unknown values: 1 for a category, whose last one is missing, else 0.
        vocabulary: values in the order of their ids; None where ids are made without one, as by hashing.
        asset: name of the vocabulary's file.
    """

    size: int
    first: int = 0
    last: int = 0
    vocabulary: tuple[bytes, ...] | None = None
    asset: str | None = None

    @property
    def unknown(self) -> range:
        """Ids of values that the vocabulary does not hold."""
        return range(self.first + len(self.vocabulary or ()), self.size - self.last)

    @classmethod
    def of(cls, model_input: Category | Tokens, size: int, path: str | None) -> IdLayout:
        """The layout of an input's ids.

        Args:
            model_input: the input.
            size: number of its ids.
            path: file of its vocabulary; None: there is none.
        """
        first, last = (1, 0) if isinstance(model_input, Tokens) else (0, 1)
        if path is None or not tf.io.gfile.exists(path):
            return cls(size, first, last)
        with tf.io.gfile.GFile(path, "rb") as file:
            lines = tuple(file.read().removesuffix(b"\n").split(b"\n"))
        if first + len(lines) + last > size:  # a vocabulary of that name, but not of these ids
            return cls(size, first, last)
        return cls(size, first, last, lines, os.path.basename(path))


@dataclass(frozen=True)
class Meaning:
    """What the weights of a model are about.

    Attributes:
        scale: factor of the last layer, see `models.head.Head`.
        ids: layouts of the ids, by key of the input.
    """

    scale: float
    ids: dict[str, IdLayout]

    @classmethod
    def of(cls, inputs: Sequence[ModelInput], head: Head, transform: tft.TFTransformOutput) -> Meaning:
        """That of a model that is made.

        Args:
            inputs: the model's.
            head: the model's.
            transform: the transform graph that makes the inputs.
        """
        files = {one.key: transform.vocabulary_file_by_name(feature_name(one.key)) for one in _of_ids(inputs)}
        return cls(head.scale, {one.key: IdLayout.of(one, one.size, files[one.key]) for one in _of_ids(inputs)})

    @classmethod
    def load(cls, inputs: Sequence[ModelInput], path: str) -> Meaning | None:
        """That of a SavedModel, of the inputs that it shares with a new model; None: it does not tell.

        Args:
            inputs: the new model's.
            path: the SavedModel's folder.
        """
        file = os.path.join(path, _FILE)
        if not tf.io.gfile.exists(file):
            return None
        with tf.io.gfile.GFile(file) as opened:
            told = json.load(opened)
        ids = {}
        for one in _of_ids(inputs):
            if (known := told["ids"].get(one.key)) is not None:
                asset = known["vocabulary"]
                ids[one.key] = IdLayout.of(one, known["size"], asset and os.path.join(path, "assets", asset))
        return cls(told["scale"], ids)

    def save(self, path: str) -> None:
        """Writes it beside a SavedModel."""
        ids = {key: {"size": layout.size, "vocabulary": layout.asset} for key, layout in self.ids.items()}
        file = os.path.join(path, _FILE)
        tf.io.gfile.makedirs(os.path.dirname(file))
        with tf.io.gfile.GFile(file, "w") as opened:
            opened.write(json.dumps({"scale": self.scale, "ids": ids}, indent=2, sort_keys=True) + "\n")


def _of_ids(inputs: Sequence[ModelInput]) -> list[Category | Tokens]:
    return [one for one in inputs if isinstance(one, (Category, Tokens))]
