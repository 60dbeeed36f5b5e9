"""Architectures by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from configs.settings import Model
from models.cross import Cross
from models.dcn import DeepCross
from models.deep import Deep
from models.encoder import Encoder
from models.head import Head
from models.network import Network, example_features
from models.wide import Wide
from models.wide_deep import WideDeep
from schemas.transformed import ModelInput

Architecture = Callable[[Sequence[ModelInput], Model, Head], Network]


def _dcn(inputs: Sequence[ModelInput], settings: Model, head: Head) -> Network:
    return DeepCross(
        encoder=Encoder(inputs, settings.embedding_size, settings.pictures),
        crosses=[Cross(settings.l2) for _ in range(settings.cross_layers)],
        deep=Deep(settings.hidden_units, settings.dropout, settings.l2),
        output=head.layer(),
    )


def _wide_deep(inputs: Sequence[ModelInput], settings: Model, head: Head) -> Network:
    return WideDeep(
        encoder=Encoder(inputs, settings.embedding_size, settings.pictures),
        wide=Wide(inputs, head.units),
        deep=Deep(settings.hidden_units, settings.dropout, settings.l2),
        output=head.layer(),
    )


ARCHITECTURES: dict[str, Architecture] = {"dcn": _dcn, "wide_deep": _wide_deep}


def build_model(inputs: Sequence[ModelInput], settings: Model, head: Head) -> Network:
    """The model of the settings, with its variables made.

    Args:
        inputs: the model's inputs.
        settings: architecture and sizes.
        head: what is predicted.
    """
    model = ARCHITECTURES[settings.architecture](inputs, settings, head)
    model(example_features(inputs))
    return model
