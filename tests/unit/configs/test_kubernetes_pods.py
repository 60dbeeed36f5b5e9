from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from configs.kubernetes_pods import KubernetesPods


def message(**pods: Any) -> str:
    with pytest.raises(ValidationError) as raised:
        KubernetesPods.model_validate(pods)
    return str(raised.value.errors()[0]["msg"])


def test_everything_has_a_default() -> None:
    assert KubernetesPods().manifests == "jobs"


@pytest.mark.parametrize("amount", ["4", "500m", "0.5", "8Gi", "1500M"])
def test_amounts_are_those_of_kubernetes(amount: str) -> None:
    KubernetesPods.model_validate({"resources": {"worker": {"cpu": amount}}})


@pytest.mark.parametrize("amount", ["8GB", "four", "-1", "8 Gi"])
def test_other_amounts_are_not(amount: str) -> None:
    assert "should match pattern" in message(resources={"worker": {"memory": amount}})


def test_roles_are_known() -> None:
    assert "'chief', 'worker', 'ps' or 'evaluator'" in message(resources={"master": {}})


def test_a_volume_is_of_one_kind() -> None:
    assert "give either claim or host_path" in message(volumes=[{"mount": "/data"}])
    assert "give either claim or host_path" in message(volumes=[{"mount": "/data", "claim": "c", "host_path": "/d"}])


def test_two_volumes_are_not_at_one_place() -> None:
    volumes = [{"mount": "/data", "claim": "one"}, {"mount": "/data", "claim": "two"}]

    assert "is where an earlier volume is already" in message(volumes=volumes)


@pytest.mark.parametrize("name", ["TF_CONFIG", "JOB_COMPLETION_INDEX", "STF_ROLE"])
def test_what_the_launcher_sets_is_not_set(name: str) -> None:
    assert "is set by the launcher" in message(environment={name: "x"})


def test_a_toleration_is_complete() -> None:
    assert "must be given, or operator be Exists" in message(tolerations=[{"value": "x"}])
    assert "must be left out with operator Exists" in message(tolerations=[{"operator": "Exists", "value": "x"}])
