"""A training as a TFJob, kubeflow.org/v1: for clusters with the Kubeflow training operator, which sets TF_CONFIG.

https://www.kubeflow.org/docs/components/trainer/legacy-v1/user-guides/tensorflow/
"""

from __future__ import annotations

from typing import Any

from distribution.kubernetes.pod_template import pod_template
from distribution.kubernetes.workload import Workload
from distribution.membership import ROLE

_ROLES = {"chief": "Chief", "worker": "Worker", "ps": "PS", "evaluator": "Evaluator"}
# The operator looks for these two names.
_CONTAINER = "tensorflow"
_PORT = "tfjob-port"


def tf_job(workload: Workload) -> dict[str, Any]:
    """The TFJob.

    The operator's policy ExitCode would not start a task again that asks for it with 75; OnFailure does, and also those
    that end in an error, up to `backoffLimit`.
    """
    return {
        "apiVersion": "kubeflow.org/v1",
        "kind": "TFJob",
        "metadata": {"name": workload.name, "labels": workload.labels},
        "spec": {
            "runPolicy": {
                "cleanPodPolicy": "Running",
                "backoffLimit": workload.max_restarts * sum(workload.tasks.values()),
                "ttlSecondsAfterFinished": workload.pods.keep_seconds,
            },
            "successPolicy": "",
            "tfReplicaSpecs": {_ROLES[role]: _replicas(workload, role) for role in workload.tasks},
        },
    }


def _replicas(workload: Workload, role: str) -> dict[str, Any]:
    template = pod_template(workload, role, {ROLE: role}, container=_CONTAINER)
    # The replica's policy takes the place of the pod's.
    del template["spec"]["restartPolicy"]
    template["spec"]["containers"][0]["ports"] = [{"name": _PORT, "containerPort": workload.pods.port}]
    return {"replicas": workload.tasks[role], "restartPolicy": "OnFailure", "template": template}
