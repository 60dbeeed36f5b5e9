"""The settings of two towers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from configs.load import load_settings
from tests.unit.configs.settings_error import error

Write = Callable[..., Path]


TOWERS = ["model.architecture=two_tower", "model.towers={candidate: [company]}"]


def test_two_towers(write: Write) -> None:
    settings = load_settings([write()], TOWERS, {})
    assert settings.model.towers is not None
    assert settings.model.towers.candidate == ("company",)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (TOWERS[:1], "model.towers must name the candidate's features for the architecture two_tower"),
        (TOWERS[1:], "model.towers must name the candidate's features for the architecture two_tower"),
        ([*TOWERS, "model.towers.candidate=[compani]"], "model.towers.candidate[0]: 'compani' is not a feature."),
        ([*TOWERS, "model.towers.candidate=[fare]"], "model.towers.candidate[0] must be a categorical or integer"),
        ([*TOWERS, "model.towers.candidate=[company, fare]"], "model.towers.candidate must leave features to the"),
        ([*TOWERS, "label={kind: numeric, column: tips}"], "label.kind must be binary for two towers"),
    ],
)
def test_two_towers_that_cannot_be(write: Write, overrides: list[str], message: str) -> None:
    assert str(error(write(), *overrides)).startswith(message)
