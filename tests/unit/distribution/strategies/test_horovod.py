from __future__ import annotations

import sys
from typing import Any

import pytest

from configs.training import Training
from distribution.cluster import Cluster, Task
from distribution.membership import Membership
from distribution.strategies.horovod import make
from schemas.errors import TrainingError

OWN = Membership(Cluster({"worker": ("127.0.0.1:2000", "127.0.0.1:2001")}), Task("worker", 0))


def refused(own: Membership | None = OWN, **settings: Any) -> TrainingError:
    with pytest.raises(TrainingError) as caught:
        make(Training.model_validate({"strategy": "horovod", **settings}), own)
    return caught.value


def test_without_a_cluster() -> None:
    error = refused(own=None)
    assert error.what == "The horovod strategy needs a cluster of workers, without parameter servers."
    assert error.received == "no cluster"


def test_horovod_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "horovod", None)
    error = refused()
    assert error.what == "Horovod is not installed here, or was built for another TensorFlow."
    assert error.where == "training.strategy"
    assert error.fix is not None
    assert error.fix.startswith("Run make horovod, or choose multi_worker_mirrored")


def test_settings_that_it_cannot_honour() -> None:
    assert refused(xla=True).where == "training.xla"
    assert refused(devices=2).where == "training.devices"


def test_nccl_where_horovod_was_built_without() -> None:
    hvd = pytest.importorskip("horovod.tensorflow", reason="Horovod is not installed: make horovod")
    if hvd.nccl_built():
        pytest.skip("this Horovod was built with NCCL")
    assert refused(collectives={"implementation": "nccl"}).where == "training.collectives.implementation"
