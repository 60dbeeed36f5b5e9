from __future__ import annotations

from types import SimpleNamespace

import pytest
import tensorflow as tf

from configs.training import Training
from distribution.strategies.mirrored import make
from schemas.errors import TrainingError


def test_more_devices_than_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [])
    with pytest.raises(TrainingError, match="wants 4 devices and finds 0 GPUs") as caught:
        make(Training(devices=4))
    assert caught.value.where == "training.devices"


def test_a_batch_smaller_than_the_replicas(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus = [SimpleNamespace(name=f"/gpu:{index}") for index in range(2)]
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: gpus)
    with pytest.raises(TrainingError, match="batch of 1 cannot be divided among 2"):
        make(Training(batch_size=1))


def test_one_cpu_is_one_replica(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [])
    assert make(Training(devices=1)).num_replicas_in_sync == 1
