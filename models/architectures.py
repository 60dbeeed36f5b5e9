"""Architectures by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from configs.settings import Model
from models.catalogue import candidate_inputs, identity_of
from models.cross import Cross
from models.dcn import DeepCross
from models.deep import Deep
from models.encoder import Encoder
from models.head import Head
from models.log_frequency import LogFrequency
from models.network import Network, example_features
from models.tower import Tower
from models.two_tower import TwoTower
from models.two_tower_head import TwoTowerHead
from models.wide import Wide
from models.wide_deep import WideDeep
from schemas.errors import TrainingError
from schemas.features import Label
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


def _two_tower(inputs: Sequence[ModelInput], settings: Model, head: Head) -> Network:
    towers = settings.towers
    if towers is None:
        raise TrainingError(
            "The architecture two_tower does not know which features are the candidate's.",
            where="model.towers",
            fix="Name them: towers: {candidate: [item]}.",
        )
    candidate = candidate_inputs(inputs, towers)
    identity = identity_of(candidate, towers)
    query = [one for one in inputs if one not in candidate]
    return TwoTower(
        query=Tower(Encoder(query, settings.embedding_size, settings.pictures), towers.size),
        candidate=Tower(Encoder(candidate, settings.embedding_size, settings.pictures), towers.size),
        deep=Deep(settings.hidden_units, settings.dropout, settings.l2),
        output=head.layer(),
        log_frequency=LogFrequency(identity.size),
        identity=identity.key,
        temperature=towers.temperature,
    )


ARCHITECTURES: dict[str, Architecture] = {"dcn": _dcn, "two_tower": _two_tower, "wide_deep": _wide_deep}


def make_head(settings: Model, label: Label, values: npt.NDArray[np.generic]) -> Head:
    """What the model of the settings predicts, started from the training labels; see `Head.of`."""
    head = Head.of(label, values)
    if settings.towers is None:
        return head
    return TwoTowerHead(**vars(head), retrieval_weight=settings.towers.retrieval_weight)


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
