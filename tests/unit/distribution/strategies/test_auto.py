from __future__ import annotations

import logging
from typing import Any

import pytest
import tensorflow as tf

from configs.training import Training
from distribution.strategies.auto import resolve


@pytest.mark.parametrize(
    ("cluster", "gpus", "strategy", "reason"),
    [
        ({}, 0, "default", "there is no GPU"),
        ({}, 1, "default", "there is one GPU"),
        ({}, 2, "mirrored", "there are 2 GPUs"),
        ({"workers": 1}, 0, "default", "there is no GPU"),
        ({"workers": 2}, 4, "multi_worker_mirrored", "training.cluster.workers is 2"),
        ({"workers": 2, "ps": 1}, 0, "parameter_server", "training.cluster.ps is 1"),
    ],
)
def test_it_chooses_and_says_why(
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    cluster: dict[str, Any],
    gpus: int,
    strategy: str,
    reason: str,
) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a GPU"] * gpus)
    with caplog.at_level(logging.INFO):
        found = resolve(Training.model_validate({"cluster": cluster, "epochs": 7}))
    assert (found.strategy, found.epochs) == (strategy, 7)
    assert f"Strategy auto: {strategy}, because {reason}" in caplog.text


def test_a_strategy_by_name_stays() -> None:
    training = Training(strategy="one_device")
    assert resolve(training) is training
