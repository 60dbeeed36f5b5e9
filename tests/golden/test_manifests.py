"""A training as Kubernetes objects; `pytest tests/golden --update-golden` rewrites the files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from configs.kubernetes_pods import KubernetesPods
from distribution.kubernetes.documents import as_yaml
from distribution.kubernetes.manifests import manifests
from distribution.kubernetes.workload import Workload

_PODS: dict[str, Any] = {
    "image": "registry.example/trainer:1.0",
    "service_account": "trainer",
    "resources": {"chief": {"cpu": "2", "memory": "4Gi"}, "worker": {"cpu": "4", "memory": "8Gi", "gpus": 1}},
    "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
    "volumes": [{"claim": "pipelines", "mount": "/srv/pipelines"}],
}
_SHAPES = {"multi-worker": {"worker": 2}, "parameter-server": {"chief": 1, "worker": 2, "ps": 1, "evaluator": 1}}


@pytest.mark.parametrize("kind", ["jobs", "jobset", "tfjob"])
@pytest.mark.parametrize("shape", _SHAPES)
def test_manifests(shape: str, kind: str, update_golden: bool) -> None:
    workload = Workload(
        name="training-1",
        tasks=_SHAPES[shape],
        command=("python", "-m", "distribution.task", "/srv/pipelines/taxi/cluster"),
        pods=KubernetesPods.model_validate({**_PODS, "manifests": kind}),
        max_restarts=3,
    )
    text = as_yaml(manifests(workload))
    golden = Path(__file__).with_name("kubernetes") / f"{shape}-{kind}.yaml"
    if update_golden:
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text(), (
        "the manifests have changed; if it was meant to: pytest tests/golden --update-golden"
    )
