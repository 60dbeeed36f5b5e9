from __future__ import annotations

import pytest
import tensorflow as tf

from configs.training import Training
from distribution.strategies.mirrored import make
from schemas.errors import TrainingError


def test_more_devices_than_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [])
    with pytest.raises(TrainingError, match="wants 4 devices and finds 0 GPUs") as caught:
        make(Training(strategy="mirrored", devices=4))
    assert caught.value.where == "training.devices"


def test_one_cpu_is_one_replica(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [])
    assert make(Training(devices=1)).num_replicas_in_sync == 1
