"""The tasks of a run, as KFP's API tells them."""

from __future__ import annotations

from typing import Any


def workflow_nodes(run: dict[str, Any], spec: Any) -> list[dict[str, Any]]:
    """The nodes of an Argo workflow by a PipelineSpec, as KFP 2.15 lists them; all tasks have the run's state."""
    found: list[dict[str, Any]] = []

    def add(name: str, template: str, number: str, children: tuple[str, ...] = ()) -> None:
        below = [{"pod_name": f"flow-{child}"} for child in children]
        times = {"create_time": run["created_at"], "start_time": run["created_at"], "end_time": run["finished_at"]}
        found.append(
            {
                "run_id": run["run_id"],
                "task_id": f"flow-{template}-{number}" if template else "flow",
                "display_name": name,
                "state": run["state"],
                "child_tasks": below,
                **times,
            }
        )

    def walk(dag: Any, begin: int) -> int:
        for name, task in sorted(dag.tasks.items()):
            component = spec.components[task.component_ref.name]
            add(f"{name}-driver", "system-container-driver", str(begin))
            if component.HasField("dag"):
                add(name, "comp", str(begin + 1))
                begin = walk(component.dag, begin + 2)
            else:
                add(name, "system-container-executor", str(begin + 1), (str(begin + 2),))
                add("executor", "system-container-impl", str(begin + 2))
                begin += 3
        return begin

    add("flow", "", "")
    walk(spec.root.dag, 100)
    return found
