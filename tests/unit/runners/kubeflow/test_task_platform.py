from __future__ import annotations

import pytest
from google.protobuf import json_format
from kfp.kubernetes import kubernetes_executor_config_pb2

from configs.kubeflow import Kubeflow, KubeflowTask
from runners.kubeflow.task_platform import amount, pod, resources

KUBEFLOW = Kubeflow.model_validate(
    {
        "image_pull_policy": "IfNotPresent",
        "image_pull_secrets": ["registry"],
        "volumes": [{"mount": "/mnt/stf", "claim": "stf"}],
        "environment_secrets": {
            "PASSWORD": {"secret": "db", "key": "password"},
            "TOKEN": {"secret": "db", "key": "token"},
        },
        "webhook_secret": {"secret": "chat", "key": "address"},
        "defaults": {"node_selector": {"pool": "cpu"}},
        "nodes": {
            "Trainer": {"tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}]},
        },
    }
)


@pytest.mark.parametrize(
    ("quantity", "value"),
    [("2", 2.0), ("500m", 0.5), ("0.5", 0.5), ("8Gi", 8 * 1024**3), ("1500M", 1.5e9), ("1Ki", 1024), ("3E", 3e18)],
)
def test_amounts(quantity: str, value: float) -> None:
    assert amount(quantity) == value


def test_requests_are_limits_and_memory_is_in_gigabytes() -> None:
    task = KubeflowTask.model_validate({"resources": {"cpu": "500m", "memory": "2G", "gpus": 1}})
    assert resources(Kubeflow(), task) == {
        "cpuRequest": 0.5,
        "cpuLimit": 0.5,
        "memoryRequest": 2.0,
        "memoryLimit": 2.0,
        "accelerator": {"type": "nvidia.com/gpu", "count": "1"},
    }


def test_what_is_not_asked_for_is_not_there() -> None:
    assert resources(Kubeflow(), KubeflowTask()) == {}
    assert pod(Kubeflow(), "Trainer", "/srv/out") == {}


def test_a_pod() -> None:
    assert pod(KUBEFLOW, "Trainer", "/srv/out") == {
        "imagePullPolicy": "IfNotPresent",
        "imagePullSecret": [{"secretName": "registry"}],
        "nodeSelector": {"labels": {"pool": "cpu"}},
        "pvcMount": [{"constant": "stf", "mountPath": "/mnt/stf"}],
        "secretAsEnv": [
            {
                "secretName": "db",
                "keyToEnv": [
                    {"secretKey": "password", "envVar": "PASSWORD"},
                    {"secretKey": "token", "envVar": "TOKEN"},
                ],
            }
        ],
        "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
    }


def test_with_a_shared_root_each_pod_has_an_empty_output_dir() -> None:
    assert pod(Kubeflow(root="gs://bucket/taxi"), "Trainer", "/srv/out") == {
        "emptyDirMounts": [{"volumeName": "output", "mountPath": "/srv/out"}]
    }


def test_the_webhooks_address_is_for_the_last_task_only() -> None:
    assert [secret["secretName"] for secret in pod(KUBEFLOW, "end", "/srv/out")["secretAsEnv"]] == ["chat", "db"]
    assert [secret["secretName"] for secret in pod(KUBEFLOW, "begin", "/srv/out")["secretAsEnv"]] == ["db"]


def test_a_user_is_never_root() -> None:
    assert pod(Kubeflow(user=1000), "begin", "/srv/out")["securityContext"] == {
        "runAsUser": 1000,
        "runAsNonRoot": True,
    }


def test_kubeflows_message_has_the_fields() -> None:
    message = kubernetes_executor_config_pb2.KubernetesExecutorConfig()
    # The older release of the SDK knows fewer fields than the servers do.
    json_format.ParseDict(pod(KUBEFLOW, "Trainer", "/srv/out"), message, ignore_unknown_fields=True)
    assert message.pvc_mount[0].constant == "stf"
    assert message.secret_as_env[0].key_to_env[0].env_var == "PASSWORD"
    assert message.node_selector.labels["pool"] == "cpu"
