"""The tasks of a training and where they listen: TF_CONFIG, typed and validated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from schemas.errors import TrainingError

ROLES = ("chief", "worker", "ps", "evaluator")


@dataclass(frozen=True, order=True)
class Task:
    """One process of a training.

    Attributes:
        role: chief, worker, ps or evaluator.
        index: number among the tasks of the role, from 0.
    """

    role: str
    index: int

    def __str__(self) -> str:
        return f"{self.role}-{self.index}"


@dataclass(frozen=True)
class Cluster:
    """Where each task of a training listens.

    Attributes:
        addresses: for each role, `host:port` of its tasks in the order of their indexes.

    Raises:
        TrainingError: an unknown role, a malformed address, the same one twice, nobody to lead, or an evaluator too
            many.
    """

    addresses: Mapping[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        for role in self.addresses:
            _check_role(role)
        seen: dict[str, Task] = {}
        for task in self.tasks:
            address = self.address(task)
            _check_address(task, address)
            if address in seen:
                raise _wrong(f"Two tasks have the same address: {seen[address]} and {task}.", address)
            seen[address] = task
        if not self.number("chief") and (self.number("ps") or not self.number("worker")):
            missing = (
                "Parameter servers need a chief, which coordinates them."
                if self.number("ps")
                else "There is no worker."
            )
            raise _wrong(missing, json.dumps(self.addresses), "Add a chief to the cluster.")
        if self.number("chief") > 1 or self.number("evaluator") > 1:
            raise _wrong("There can be one chief and one evaluator.", json.dumps(self.addresses))

    @property
    def tasks(self) -> tuple[Task, ...]:
        """All tasks, by role and index."""
        return tuple(Task(role, index) for role in ROLES for index in range(self.number(role)))

    @property
    def chief(self) -> Task:
        """The task that exports: the chief or, where there is none, the first worker."""
        return Task("chief", 0) if self.number("chief") else Task("worker", 0)

    def number(self, role: str) -> int:
        """Tasks of a role."""
        return len(self.addresses.get(role, ()))

    def address(self, task: Task) -> str:
        """`host:port` of a task."""
        return self.addresses[task.role][task.index]

    def tf_config(self, task: Task) -> str:
        """TF_CONFIG of a task, as JSON; see https://www.tensorflow.org/guide/distributed_training#TF_CONFIG."""
        addresses = {role: list(found) for role, found in self.addresses.items() if found}
        return json.dumps({"cluster": addresses, "task": {"type": task.role, "index": task.index}})


def parse_tf_config(text: str, name: str = "TF_CONFIG") -> tuple[Cluster, Task]:
    """A cluster and the task of this process from TF_CONFIG, or from a text of the same form.

    The cluster need not list the evaluator, to which nobody talks: Kubeflow's training operator leaves it out.

    Args:
        text: JSON, `{"cluster": {role: [address, ...]}, "task": {"type": role, "index": number}}`.
        name: what to call it in messages.

    Raises:
        TrainingError: it is malformed, or the task is not in the cluster.
    """
    try:
        given = json.loads(text)
    except ValueError as error:
        raise _wrong(f"{name} is not JSON: {error}.", text, where=name) from error
    cluster, task = (given.get(key) if isinstance(given, dict) else None for key in ("cluster", "task"))
    if not isinstance(cluster, dict) or not isinstance(task, dict):
        raise _wrong(f"{name} must hold a cluster and a task.", text, where=name)
    if not all(isinstance(found, list) and all(isinstance(one, str) for one in found) for found in cluster.values()):
        raise _wrong(f"{name} must give a list of addresses for each role.", json.dumps(cluster), where=name)
    role, index = task.get("type"), task.get("index")
    parsed = Cluster({role: tuple(found) for role, found in cluster.items()})
    own = Task(_check_role(role), _index(index, name))
    if own.index >= parsed.number(own.role) and own != Task("evaluator", 0):
        raise _wrong(
            f"{name} says that this is {own}, but the cluster has {parsed.number(own.role)} of that role.",
            json.dumps(task),
            "Indexes start at 0; give each process its own TF_CONFIG, with the same cluster.",
            where=name,
        )
    return parsed, own


def _index(value: Any, name: str) -> int:
    # Some platforms give the index as text.
    if isinstance(value, bool) or not str(value).isdecimal():
        raise _wrong(f"The index of the task in {name} is not a number from 0.", value, where=name)
    return int(value)


def _check_role(role: Any) -> str:
    if role not in ROLES:
        near = get_close_matches(str(role), ROLES, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise _wrong(f"There is no such role.{hint}", role, f"Roles: {', '.join(ROLES)}.")
    return str(role)


def _check_address(task: Task, address: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise _wrong(
            f"The address of {task} is not host:port.", address, "Give each task an address like 10.0.0.2:2222."
        )


def _wrong(
    what: str, received: object, fix: str = "Correct the cluster.", where: str = "training.cluster"
) -> TrainingError:
    return TrainingError(what, where=where, received=received, fix=fix)
