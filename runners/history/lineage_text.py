"""A lineage as text: what release.json says, what was compared, and the tree from the release back to the data."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from runners.history.graph import BESIDE_KEYS
from runners.history.lineage import Lineage
from runners.history.on_disk import remark
from runners.readable_seconds import readable_seconds

_METRICS_SHOWN = 6
_STYLES = {"same": "green", "differs": "bold red", "gone": "dim", "unknown": "yellow"}


def print_lineage(lineage: Lineage, console: Console) -> None:
    """Prints all of it."""
    release = lineage.release
    _line(f"Release {release['version']} of {release['model']}: {lineage.path}", console)
    _line(f"  created    {release['created']} by run {release['run_id']} of pipeline {release['pipeline']}", console)
    for name in ("settings", "code"):
        _line(f"  {name:<11}{release['fingerprints'].get(name, 'unknown')}", console)
    _print_data(lineage, console)
    schema = lineage.schema
    source = f"{schema.source} {schema.file}".rstrip() + ", " if schema else ""
    _line(f"  schema     {source}SHA-256 {release['schema_hash']}", console)
    _line(f"  model      digest {release['model_digest']}", console)
    metrics = release["metrics"].get("Overall", {})
    shown = [f"{name} {value:.4g}" for name, value in metrics.items() if isinstance(value, (int, float))]
    _line(f"  metrics    {', '.join(shown[:_METRICS_SHOWN])}", console)
    _line(f"  blessing   {_blessing(release['blessing'])}", console)
    console.print("Compared with release.json:")
    for check in lineage.checks:
        line = Text(f"  {check.what:<11}")
        line.append(f"{check.outcome:<9}", _STYLES[check.outcome])
        console.print(line.append(check.message), soft_wrap=True)
    if lineage.known:
        console.print(_tree(lineage), soft_wrap=True)
    else:
        _line(f"No more is known. {lineage.missing}", console)


def _print_data(lineage: Lineage, console: Console) -> None:
    if not lineage.data:
        fingerprints = lineage.release["fingerprints"]
        spans = ", ".join(map(str, lineage.release["spans"]))
        _line(f"  data       spans {spans}, {fingerprints.get('data', 'unknown')}", console)
    for data in lineage.data:
        rows = ", ".join(f"{count} rows {split}" for split, count in data.rows.items())
        _line(f"  data       {data.path}, span {data.span}, {rows}", console)
        _line(f"             {data.fingerprint}; the files are {data.files}", console)


def _blessing(blessing: dict[str, Any]) -> str:
    if not blessing["blessed"]:
        return "none"
    forced = f" by force: {blessing['forced']}" if blessing["forced"] else ""
    return f"blessed{forced}, baseline {blessing['baseline'] or 'none'}"


def _tree(lineage: Lineage) -> Tree:
    executions = {execution.id: execution for execution in lineage.executions}
    artifacts = {artifact.id: artifact for artifact in lineage.artifacts}
    producers = {edge.artifact: edge.execution for edge in lineage.edges if edge.kind == "output"}
    shown: set[int] = set()

    def add(parent: Tree, execution_id: int) -> None:
        shown.add(execution_id)
        read = [edge for edge in lineage.edges if edge.execution == execution_id and edge.kind == "input"]
        # The model first: it is what was released.
        for edge in sorted(read, key=lambda edge: (edge.key != "model", edge.key)):
            artifact = artifacts[edge.artifact]
            state = remark(artifact.state, artifact.on_disk)
            branch = parent.add(Text(f"{edge.key}: {artifact.type} {artifact.id} {artifact.uri}{state}"))
            maker = producers.get(artifact.id)
            if edge.key in BESIDE_KEYS or maker is None:
                continue
            if maker in shown:
                branch.add(Text(f"{executions[maker].node}, execution {maker}, as above"))
            else:
                add(branch.add(_execution(executions[maker])), maker)

    def _execution(execution: Any) -> Text:
        cached = "" if execution.run_id == lineage.release["run_id"] else ", taken from the cache"
        seconds = readable_seconds(execution.seconds)
        return Text(f"{execution.node}, execution {execution.id} of run {execution.run_id}{cached}, {seconds}")

    root = Tree(Text("release"))
    if lineage.pusher is not None:
        add(root.add(_execution(executions[lineage.pusher])), lineage.pusher)
    return root


def _line(text: str, console: Console) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
