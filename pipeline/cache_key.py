"""What the cache key of a node holds besides what TFX puts there."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from importlib import metadata

from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.base_node import BaseNode

_LIBRARIES = (
    *("tfx", "tfx-bsl", "tensorflow", "tf-keras", "tensorflow-transform", "apache-beam", "numpy", "pyarrow"),
    *("tensorflow-data-validation", "tensorflow-model-analysis"),
)


def depends_on(node: BaseComponent, **fingerprints: str) -> None:
    """Puts into a node's cache key what TFX does not look at: the content of a file, or the code of our executors.

    Extra flags are part of the executor's specification, which the key covers; no executor reads these.
    """
    node.executor_spec.add_extra_flags([f"--{name}={value}" for name, value in fingerprints.items()])


def depend_on_stack(nodes: Iterable[BaseNode]) -> None:
    """Puts the libraries' versions into the keys: what one TFX has made is not taken from the cache by another."""
    stack = _stack()
    for node in nodes:
        if isinstance(node, BaseComponent):
            depends_on(node, stack=stack)


@functools.cache  # of what is installed, each look goes through all of it
def _stack() -> str:
    versions = [f"{name} {metadata.version(name)}" for name in _LIBRARIES]
    return hashlib.sha256("\n".join(versions).encode()).hexdigest()
