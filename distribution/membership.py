"""Which task of which cluster this process is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from distribution.cluster import Cluster, Task, parse_tf_config
from distribution.horovod_rendezvous import ADDRESS, RANK, meet
from distribution.task import START_SECONDS
from schemas.errors import TrainingError

CLUSTER, ROLE, INDEX = "STF_CLUSTER", "STF_ROLE", "JOB_COMPLETION_INDEX"
"""What our own Kubernetes Jobs set: the cluster as JSON, the role, and the index that Kubernetes gives to a pod."""

_VERTEX_ROLES = {"workerpool0": "chief", "workerpool1": "worker", "workerpool2": "ps", "workerpool3": "evaluator"}


@dataclass(frozen=True)
class Membership:
    """A cluster, and the task of it that this process is.

    Attributes:
        cluster: all tasks and their addresses.
        task: this one.
    """

    cluster: Cluster
    task: Task

    @property
    def is_chief(self) -> bool:
        """Whether this process exports the model and keeps the backups."""
        return self.task == self.cluster.chief

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Membership:
        """Reads TF_CONFIG; else what our Kubernetes Jobs set; else Vertex AI's CLUSTER_SPEC; else what horovodrun sets.

        Vertex AI's worker pools are, in their order, chief, workers, parameter servers and evaluator:
        https://cloud.google.com/vertex-ai/docs/training/distributed-training

        Raises:
            TrainingError: none of them is set, or one is malformed.
        """
        if environment.get("TF_CONFIG"):
            return cls(*parse_tf_config(environment["TF_CONFIG"]))
        if environment.get(CLUSTER):
            task = {"type": environment.get(ROLE), "index": environment.get(INDEX, "0")}
            try:
                cluster = json.loads(environment[CLUSTER])
            except ValueError:
                cluster = environment[CLUSTER]
            return cls(*parse_tf_config(json.dumps({"cluster": cluster, "task": task}), CLUSTER))
        if environment.get("CLUSTER_SPEC"):
            return cls(*parse_tf_config(_from_vertex(environment["CLUSTER_SPEC"]), "CLUSTER_SPEC"))
        if environment.get(RANK) and environment.get(ADDRESS):
            return cls(*meet(environment, float(environment.get(START_SECONDS, 300.0))))
        raise TrainingError(
            "Nothing says which task of the cluster this process is.",
            where="training.cluster.launcher",
            received="env, without TF_CONFIG",
            fix="Set TF_CONFIG for each process, use horovodrun, or let training.cluster.launcher: local start them.",
        )


def _from_vertex(text: str) -> str:
    try:
        given = json.loads(text)
        cluster = {_VERTEX_ROLES.get(pool, pool): found for pool, found in given["cluster"].items()}
        task = {**given["task"], "type": _VERTEX_ROLES.get(given["task"]["type"], given["task"]["type"])}
    except (ValueError, KeyError, TypeError, AttributeError):
        return text  # whose parsing says what is wrong
    return json.dumps({"cluster": cluster, "task": task})
