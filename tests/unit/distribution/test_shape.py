from __future__ import annotations

from typing import Any

import pytest

from configs.training import Training
from distribution.shape import cluster_shape


@pytest.mark.parametrize(
    ("strategy", "cluster", "shape"),
    [
        ("multi_worker_mirrored", {}, {"worker": 2}),
        ("multi_worker_mirrored", {"workers": 3, "evaluator": True}, {"worker": 3, "evaluator": 1}),
        ("parameter_server", {}, {"chief": 1, "worker": 2, "ps": 1}),
        ("parameter_server", {"workers": 4, "ps": 2}, {"chief": 1, "worker": 4, "ps": 2}),
    ],
)
def test_shapes(strategy: str, cluster: dict[str, Any], shape: dict[str, int]) -> None:
    assert cluster_shape(Training.model_validate({"strategy": strategy, "cluster": cluster})) == shape
