"""What Kubeflow calls pipelines and tasks: lower case and hyphens, and still read as the names of the nodes."""

from __future__ import annotations

import re
from collections.abc import Iterable

from configs.kubeflow import BEGIN, END

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def task_name(node_id: str) -> str:
    """The name of a node's task: `example-gen` for ExampleGen.

    What is not a letter, a digit or a hyphen is a hyphen, as the Kubeflow SDK would have it.
    """
    return re.sub(r"[^a-z0-9]+", "-", _WORDS.sub("-", node_id).lower()).strip("-")


def pipeline_name(name: str) -> str:
    """What Kubeflow and Vertex AI call a pipeline: they know no underscores."""
    return re.sub(r"[^a-z0-9]+", "-", name)


def task_names(nodes: Iterable[str]) -> dict[str, str]:
    """The name of every task by its node; begin and end are their own.

    Raises:
        ValueError: two would have the same.
    """
    found: dict[str, str] = {}
    for node in (BEGIN, END, *nodes):
        name = task_name(node)
        if name in found.values():
            raise ValueError(f"{node} and another task would both be called {name}")
        found[node] = name
    return found
