from __future__ import annotations

import logging

import pytest
import tensorflow as tf

from configs.training import Training
from distribution.strategies.auto import make


def test_without_gpus_it_is_the_default_and_says_so(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    with caplog.at_level(logging.INFO):
        assert make(Training()) is tf.distribute.get_strategy()
    assert "Strategy auto: default, because there is no GPU" in caplog.text


def test_with_several_gpus_it_is_mirrored(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["one", "other"])
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [])
    with caplog.at_level(logging.INFO):
        assert isinstance(make(Training()), tf.distribute.MirroredStrategy)
    assert "Strategy auto: mirrored, because there are 2 GPUs" in caplog.text
