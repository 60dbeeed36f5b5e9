"""What Transform gives and models take: names of transformed features, and the model inputs read from their schema.

This is the whole contract between transforms/ and models/, which do not import each other. A preprocessing_fn, ours or
a user's, returns dense tensors of a fixed shape:

    float [n]            -> Dense(n)
    int64 [1] with a domain 0..m   -> Category(m + 1)
    int64 [n] with a domain 0..m   -> Tokens(length n, m + 1); 0 is padding; NAME_weight_xf float [n] weighs them
    float [h, w, c]      -> Picture(h, w, c)

and TFT writes shapes and domains into the transformed schema, from which `model_inputs` reads them back.
"""

from __future__ import annotations

from dataclasses import dataclass

from tensorflow_metadata.proto.v0 import schema_pb2

from schemas.errors import SchemaError
from schemas.features import LABEL, WEIGHT

_SUFFIX = "_xf"
_WEIGHTS = "_weight_xf"


def transformed_name(name: str) -> str:
    """Name of a feature after Transform: `fare` -> `fare_xf`."""
    return name + _SUFFIX


def feature_name(key: str) -> str:
    """The inverse of `transformed_name`; also the name of a feature's vocabulary, where it has one."""
    return key.removesuffix(_SUFFIX)


def weights_name(name: str) -> str:
    """Name of the per-token weights of a text feature: `title` -> `title_weight_xf`."""
    return name + _WEIGHTS


LABEL_KEY = transformed_name(LABEL)
WEIGHT_KEY = transformed_name(WEIGHT)
PREDICTION_KEY = "predictions"
"""Key of the one output of the signatures serving_default and predict."""


@dataclass(frozen=True)
class Dense:
    """Floats, shape [batch, size]."""

    key: str
    size: int


@dataclass(frozen=True)
class Category:
    """One id a row, int64 [batch, 1], 0 <= id < size."""

    key: str
    size: int


@dataclass(frozen=True)
class Tokens:
    """Ids, int64 [batch, length], 0 <= id < size, 0 = padding; `weights` names a float [batch, length] or is None."""

    key: str
    size: int
    length: int
    weights: str | None = None


@dataclass(frozen=True)
class Picture:
    """Floats, shape [batch, height, width, channels]."""

    key: str
    height: int
    width: int
    channels: int


ModelInput = Dense | Category | Tokens | Picture


def model_inputs(schema: schema_pb2.Schema) -> tuple[ModelInput, ...]:
    """The model's inputs, in name order.

    Args:
        schema: the transformed schema (`tft.TFTransformOutput(...).transformed_metadata.schema`).

    Raises:
        SchemaError: a transformed feature is sparse, a string, or an int64 without a domain that starts at 0.
    """
    features = {feature.name: feature for feature in schema.feature}
    found: list[ModelInput] = []
    for key in sorted(features):
        if key in (LABEL_KEY, WEIGHT_KEY) or _tokens_of(key, features):
            continue
        found.append(_model_input(features[key], features))
    return tuple(found)


def _shape(feature: schema_pb2.Feature) -> tuple[int, ...]:
    return tuple(dim.size for dim in feature.shape.dim)


def _tokens_of(key: str, features: dict[str, schema_pb2.Feature]) -> str | None:
    """The key of the tokens that these values weigh, or None: net_weight_xf is a feature of its own beside net_xf."""
    base = transformed_name(key.removesuffix(_WEIGHTS))
    if not key.endswith(_WEIGHTS) or base not in features:
        return None
    tokens, weights = features[base], features[key]
    both = tokens.type == schema_pb2.INT and weights.type == schema_pb2.FLOAT
    return base if both and _shape(tokens) == _shape(weights) and _shape(tokens) not in ((), (1,)) else None


def _model_input(feature: schema_pb2.Feature, features: dict[str, schema_pb2.Feature]) -> ModelInput:
    if not feature.HasField("shape"):
        raise _refused(
            feature, "is sparse", "Return a dense tensor of a fixed shape, for example with tf.sparse.to_dense."
        )
    shape = _shape(feature)
    if feature.type == schema_pb2.FLOAT:
        if len(shape) == 3:
            return Picture(feature.name, *shape)
        if len(shape) <= 1:
            return Dense(feature.name, shape[0] if shape else 1)
        raise _refused(
            feature, f"has the shape {list(shape)}", "Return floats of shape [n] or [height, width, channels]."
        )
    if feature.type != schema_pb2.INT or feature.WhichOneof("domain_info") != "int_domain":
        raise _refused(
            feature,
            "is neither a float nor an int64 with a domain",
            "Map strings to ids with tft.compute_and_apply_vocabulary; for ids made in other ways, state the domain.",
        )
    if feature.int_domain.min < 0:
        raise _refused(
            feature,
            f"has ids from {feature.int_domain.min}",
            "Give tft.compute_and_apply_vocabulary num_oov_buckets=1, so that unknown values have an id of their own.",
        )
    size = feature.int_domain.max + 1
    if shape in ((), (1,)):
        return Category(feature.name, size)
    weights = feature.name.removesuffix(_SUFFIX) + _WEIGHTS
    weighed = weights in features and _tokens_of(weights, features) == feature.name
    return Tokens(feature.name, size, shape[0], weights if weighed else None)


def _refused(feature: schema_pb2.Feature, why: str, fix: str) -> SchemaError:
    return SchemaError(
        f"The model cannot take the transformed feature {feature.name!r}: it {why}.", where="preprocessing_fn", fix=fix
    )
