"""Packages for Kubeflow; `pytest tests/golden --update-golden` rewrites the files of taxi.

Every shipped settings file is compiled for both targets, but for the one whose windows Vertex AI does not have.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import schemas
from configs.settings import Settings
from runners.kubeflow.package import Target, checked_package
from tests.unit.runners.kubeflow.clusters import ROOT, on_kfp, on_vertex

# Where the packages come from: this tree, or, in the image, an installed wheel.
INSTALLED = Path(schemas.__file__).parents[1]
NAMES = sorted(file.stem for file in (ROOT / "configs").glob("*.yaml"))
TRAINER = (
    "kubeflow.defaults={resources: {cpu: '2', memory: 4Gi}, timeout_seconds: 3600}",
    "kubeflow.nodes={Trainer: {resources: {cpu: '8', memory: 16Gi, gpus: 1}, retries: {count: 3, seconds: 60}, "
    "node_selector: {pool: gpu}, tolerations: [{key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}], "
    "environment: {NCCL_DEBUG: WARN}}}",
)
ON: dict[Target, Callable[..., Settings]] = {"kfp": on_kfp, "vertex": on_vertex}


WINDOWED = "taxi_daily"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "target"), [(name, target) for name in NAMES for target in ON if (name, target) != (WINDOWED, "vertex")]
)
def test_shipped_settings_are_compiled(name: str, target: Target) -> None:
    findings, text = checked_package(ON[target](name), target)
    assert [finding for finding in findings if finding.severity == "error"] == []
    first = next(yaml.safe_load_all(text))
    assert first["pipelineInfo"]["name"] == name.replace("_", "-")
    assert first["schemaVersion"] == "2.1.0"


def test_a_window_is_refused_for_vertex() -> None:
    findings, _ = checked_package(on_vertex(WINDOWED), "vertex")
    assert {one.where for one in findings if one.severity == "error"} == {"window.spans", "validation.drift"}


@pytest.mark.parametrize("target", ON)
def test_package(target: Target, update_golden: bool) -> None:
    more = ("kubeflow.gpu_resource=NVIDIA_TESLA_T4",) if target == "vertex" else ()
    _, text = checked_package(ON[target]("taxi", *TRAINER, *more), target)
    golden = Path(__file__).with_name("kubeflow") / f"taxi.{target}.yaml"
    text = _stable(text)
    if update_golden:
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text(), (
        "the package has changed; if it was meant to: pytest tests/golden --update-golden"
    )


def test_two_compilations_give_the_same_bytes() -> None:
    assert checked_package(on_kfp("taxi"), "kfp")[1] == checked_package(on_kfp("taxi"), "kfp")[1]


def _stable(text: str) -> str:
    """Leaves out what changes with the code's fingerprint, the machine and the stack, and lines broken for its sake."""
    documents = list(yaml.safe_load_all(text))
    documents[0]["sdkVersion"] = "SDK"
    text = yaml.safe_dump_all(documents, sort_keys=True, width=1_000_000)
    text = re.sub(r"\b[0-9a-f]{64}\b", "FINGERPRINT", text)
    text = text.replace(str(INSTALLED / "schemas"), "ROOT/schemas")
    return text.replace(str(ROOT), "ROOT")
