"""The tasks of a run on the server."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ARGOS = re.compile(
    r"root$|entrypoint$|executor(\(\d+\))?$|.*-driver$|.*\.hooks\b|(exit-handler|for-loop|condition)-\d+"
)
_NEVER = datetime.datetime.fromtimestamp(0, datetime.timezone.utc)


@dataclass(frozen=True)
class Task:
    """A task of a run.

    Attributes:
        name: of the task.
        state: as the server names it, e.g. RUNNING; empty where it says nothing.
        pod: the name of its pod, once there is one.
        started: when.
        ended: when.
        error: what the server says of a failure.
    """

    name: str
    state: str
    pod: str
    started: datetime.datetime | None
    ended: datetime.datetime | None
    error: str


def tasks_of(details: Any) -> tuple[Task, ...]:
    """What the pipeline's author knows as tasks: the server lists all nodes of the Argo workflow.

    A task is a node with its name, below which is the one of its pod, `executor`; with retries there is one more
    between, and `executor(0)`, `executor(1)`... Children are named by node, as `<workflow>-<number>`, and nodes by pod,
    as `<workflow>-<template>-<number>`.
    """
    by_number = {_number(detail.task_id): detail for detail in details}
    found = []
    for detail in sorted(details, key=lambda detail: (detail.start_time or _NEVER, detail.display_name or "")):
        name = detail.display_name or ""
        if not name or name == detail.task_id or _ARGOS.match(name):
            continue
        pod = _executor(detail, by_number)
        error = detail.error.message or "" if detail.error else ""
        found.append(
            Task(
                name,
                detail.state or "",
                str(pod.task_id) if pod is not None else "",
                happened(detail.start_time),
                happened(detail.end_time),
                error,
            )
        )
    return tuple(found)


def _executor(detail: Any, by_number: Mapping[str, Any]) -> Any:
    """The last node below a task that is a pod."""
    below = [by_number.get(_number(child.pod_name or child.task_id)) for child in detail.child_tasks or ()]
    executors = [child for child in below if child is not None and (child.display_name or "").startswith("executor")]
    if not executors:
        return detail if (detail.display_name or "").startswith("executor") else None
    return _executor(max(executors, key=lambda child: child.start_time or _NEVER), by_number)


def _number(name: str | None) -> str:
    return (name or "").rpartition("-")[2]


def happened(given: datetime.datetime | None) -> datetime.datetime | None:
    """The server writes 1970 for what has not happened."""
    return given if given is not None and given.timestamp() > 0 else None
