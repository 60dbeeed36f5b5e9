"""Runs of a part of the pipeline: what lies before it is taken from an earlier run."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from tfx.orchestration.metadata import Metadata
from tfx.orchestration.portable import partial_run_utils
from tfx.proto.orchestration import pipeline_pb2

from configs.settings import Settings
from runners.compiled import changed_nodes, node_ids
from runners.finished_nodes import finished_nodes
from runners.run_folder import RunFolder, run_folder
from runners.run_record import run_records
from schemas.errors import RunError
from schemas.nearest import nearest

_LOG = logging.getLogger(__name__)
_RESOLVER = "tfx.dsl.components.common.resolver.Resolver"


@dataclass(frozen=True)
class Part:
    """The nodes from one to another, ends included.

    Attributes:
        first: the node to begin with; empty: from the beginning.
        last: the node to end with; empty: to the end.
    """

    first: str = ""
    last: str = ""


def mark(pipeline: pipeline_pb2.Pipeline, part: Part) -> None:
    """Marks in a compiled pipeline which nodes are to run and which to be taken from an earlier run.

    Raises:
        RunError: there is no such node, or nothing lies between the two.
    """
    known = node_ids(pipeline)
    for node in filter(None, (part.first, part.last)):
        if node not in known:
            near = nearest(node, known)
            raise RunError(
                "There is no such node in this pipeline." + (f" Did you mean {near}?" if near else ""),
                where="--from" if node == part.first else "--to",
                received=node,
                fix=f"Nodes: {', '.join(known)}.",
            )
    first = [part.first] if part.first else []
    trial = pipeline_pb2.Pipeline()
    trial.CopyFrom(pipeline)
    _mark(trial, first, part.last)
    if not nodes_to_run(trial):
        raise RunError(
            "No node lies between the two.",
            where="--from, --to",
            received=f"{part.first}, {part.last}",
            fix=f"The order is {', '.join(known)}.",
        )
    # What a resolver found for an earlier run may no longer be the latest: it looks again, unless nodes that are not to
    # run have worked with it.
    resolvers = _resolvers_before(trial) if first else []
    _mark(pipeline, first + [one for one in resolvers if _adds_itself_only(one, pipeline, trial, part)], part.last)


def nodes_to_run(pipeline: pipeline_pb2.Pipeline) -> list[str]:
    """The nodes that a run of this compiled pipeline runs: all of them, or those that are marked."""
    options = {node.pipeline_node.node_info.id: node.pipeline_node.execution_options for node in pipeline.nodes}
    return [node for node, option in options.items() if not option.HasField("skip")]


def nodes_to_reuse(pipeline: pipeline_pb2.Pipeline) -> list[str]:
    """The nodes whose outputs a partial run needs from an earlier one."""
    required = pipeline_pb2.NodeExecutionOptions.Skip.REQUIRED
    return [
        node.pipeline_node.node_info.id
        for node in pipeline.nodes
        if node.pipeline_node.execution_options.skip.reuse_artifacts_mode == required
    ]


def reuse(metadata: Metadata, settings: Settings, run: RunFolder) -> None:
    """Makes the outputs that a partial run needs its own; they are those of the newest run that got far enough.

    Args:
        metadata: an entered connection.
        settings: whose runs to look at.
        run: the partial run.

    Raises:
        RunError: there is none, or a node that would be taken from it has changed since.
    """
    needed = nodes_to_reuse(run.pipeline)
    for record in run_records(metadata, settings.name):
        folder = run_folder(settings, record.run_id)
        if record.run_id != run.path.name and folder.is_dir() and _has_made(metadata, settings, record.run_id, needed):
            _check_unchanged(RunFolder.load(folder).pipeline, run.pipeline, record.run_id, needed)
            partial_run_utils.snapshot(metadata, run.pipeline, record.run_id)
            return
    raise RunError(
        "No earlier run has made what this part of the pipeline needs.",
        where="--from",
        received=f"needed: {', '.join(needed)}",
        fix="Run the whole pipeline first, or begin with an earlier node.",
    )


def _mark(pipeline: pipeline_pb2.Pipeline, first: list[str], last: str) -> None:
    partial_run_utils.mark_pipeline(pipeline, from_nodes=first or None, to_nodes=[last] if last else None)


def _resolvers_before(pipeline: pipeline_pb2.Pipeline) -> list[str]:
    running = set(nodes_to_run(pipeline))
    nodes = {node.pipeline_node.node_info.id: node.pipeline_node for node in pipeline.nodes}
    needed = {upstream for node in running for upstream in nodes[node].upstream_nodes} - running
    return [node for node in nodes if node in needed and nodes[node].node_info.type.name == _RESOLVER]


def _adds_itself_only(resolver: str, pipeline: pipeline_pb2.Pipeline, trial: pipeline_pb2.Pipeline, part: Part) -> bool:
    more = pipeline_pb2.Pipeline()
    more.CopyFrom(pipeline)
    _mark(more, [part.first, resolver], part.last)
    return {*nodes_to_run(more)} == {*nodes_to_run(trial), resolver}


def _has_made(metadata: Metadata, settings: Settings, run_id: str, needed: list[str]) -> bool:
    """Whether a run's nodes ended well and what they made is still as it was."""
    try:
        return len(finished_nodes(metadata, settings.name, run_id, needed)) == len(needed)
    except RunError as error:
        _LOG.warning("Nothing is taken from run %s: %s", run_id, error)
        return False


def _check_unchanged(base: pipeline_pb2.Pipeline, now: pipeline_pb2.Pipeline, base_id: str, needed: list[str]) -> None:
    changed = [node for node in changed_nodes(base, now) if node in needed]
    if changed:
        raise RunError(
            "Nodes before this part of the pipeline have changed since they ran.",
            where=f"run {base_id}",
            received=f"changed in settings, code or libraries: {', '.join(changed)}",
            fix=f"Begin with the first of them: --from {changed[0]}",
        )
