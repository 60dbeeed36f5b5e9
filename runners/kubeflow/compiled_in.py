"""What a compiled pipeline holds of its settings: a run of it may be given others, but not of these.

Its tasks, their image, machines, volumes and Secrets were written when it was compiled. Settings that are given to a
run as a parameter are read by the tasks only, and would say something else than what runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tfx.proto.orchestration import pipeline_pb2

from configs.settings import Settings
from schemas.errors import SettingsError

_READ_BY_TASKS = {"host", "service_account", "webhook"}
"""Of the section kubeflow: read when the run is begun, or later."""
_NODE = "the graph: "


def graph(pipeline: pipeline_pb2.Pipeline) -> dict[str, list[str]]:
    """The nodes that each node of a compiled pipeline needs, in order."""
    return {node.pipeline_node.node_info.id: list(node.pipeline_node.upstream_nodes) for node in pipeline.nodes}


def compiled_in(settings: Settings, upstream: Mapping[str, Sequence[str]] | None) -> dict[str, Any]:
    """What shapes a package, JSON-ready by key of the settings; what has its default is left out.

    Args:
        settings: of the pipeline.
        upstream: for each node the nodes that it needs; None: the graph is left out.
    """
    shown = settings.kubeflow.model_dump(mode="json", exclude_defaults=True, exclude=_READ_BY_TASKS)
    for task in (shown.get("defaults", {}), *shown.get("nodes", {}).values()):
        task.pop("timeout_seconds", None)  # a task limits itself
    found = {"name": settings.name, **dict(_leaves(shown, "kubeflow"))}
    if settings.kubeflow.root is not None:
        found["output_dir"] = settings.output_dir  # every pod has an empty folder there
    return found | {f"{_NODE}{node}": sorted(before) for node, before in (upstream or {}).items()}


def compiled_text(settings: Settings, upstream: Mapping[str, Sequence[str]]) -> str:
    """The same as a word of a command line."""
    return json.dumps(compiled_in(settings, upstream), separators=(",", ":"), ensure_ascii=False, sort_keys=True)


def check_compiled(settings: Settings, upstream: Mapping[str, Sequence[str]] | None, compiled: str) -> None:
    """Refuses settings for which other tasks would have been compiled.

    Args:
        settings: of a run.
        upstream: their graph; None: it is not looked at.
        compiled: what `compiled_text` gave; empty where an older version has compiled.

    Raises:
        SettingsError: they differ in what was compiled in.
    """
    if not compiled:
        return
    before, now = json.loads(compiled), compiled_in(settings, upstream)
    if upstream is None:
        before = {key: value for key, value in before.items() if not key.startswith(_NODE)}
    changed = [key for key in sorted({*before, *now}) if before.get(key) != now.get(key)]
    if changed:
        lines = [f"{key}: compiled {_shown(before, key)}, given {_shown(now, key)}" for key in changed]
        raise SettingsError(
            "These settings are for other tasks than those that were compiled.",
            where="the pipeline's parameter settings",
            received="\n".join(lines),
            fix="Compile the pipeline with these settings, or leave what is named here as it was compiled.",
        )


def _leaves(value: Mapping[str, Any], path: str) -> list[tuple[str, Any]]:
    found = []
    for key, child in value.items():
        place = f"{path}.{key}"
        found += _leaves(child, place) if isinstance(child, dict) else [(place, child)]
    return found


def _shown(values: Mapping[str, Any], key: str) -> str:
    return json.dumps(values[key], ensure_ascii=False) if key in values else "without it"
