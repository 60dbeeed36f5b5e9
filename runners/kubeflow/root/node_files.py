"""What one node brings from the shared root and takes there."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from components.pusher.executor import EXAMPLES_KEY
from pipeline import nodes
from runners.kubeflow.root.prepared_files import PreparedFiles
from runners.kubeflow.root.release_files import ReleaseFiles
from runners.kubeflow.root.shared_root import SharedRoot
from runners.node import NodeOutcome
from schemas.errors import RunError

_LOG = logging.getLogger(__name__)
_PAUSES = (5, 15, 40)
_PAUSES_AT_THE_END = (1, 3)
"""Seconds; of a pod that is asked to end, which may have half a minute in all, the second ones."""
_ARTIFACTS = "artifacts"
_WORKING = ".system/stateful_working_dir"
_WITH_PREPARED = (nodes.EXAMPLE_GEN, nodes.SERVING_EXAMPLE_GEN)
_SHOWN = (nodes.STATISTICS_GEN, nodes.EXAMPLE_VALIDATOR, nodes.EVALUATOR)
"""Nodes of whose outputs a report is made, also where they come from the cache."""


class NodeFiles:
    """The files of a node in a run: `runners.elsewhere.Elsewhere` over a shared root.

    Args:
        root: where they are kept.
        run_id: the run, which has its versions of releases to itself.
        node_id: the node.
    """

    def __init__(self, root: SharedRoot, run_id: str, node_id: str) -> None:
        self._root = root
        self._node = node_id
        self._prepared = PreparedFiles(root)
        self._releases = ReleaseFiles(root, run_id)

    def prepare(self, node_id: str) -> None:
        """Brings what drivers read, and an empty folder for each output that the node has ever made.

        TFX's cache takes an output for one that is there when its folder is; whether it is as it was published is asked
        of the root itself.
        """
        self._root.end_forgetting()
        for unit in self._root.units(f"{_ARTIFACTS}/{node_id}"):
            if f"/{_WORKING}/" not in unit:
                (self._root.folder / unit).mkdir(parents=True, exist_ok=True)
        if node_id in _WITH_PREPARED:
            self._prepared.prepare()
        if node_id == nodes.PUSHER:
            self._releases.prepare()

    def fetch(self, folder: Path) -> None:
        """Brings a folder of prepared data that the node's driver asks for, where it is one."""
        self._prepared.fetch(folder)

    def bring(self, inputs: Mapping[str, Sequence[str]], working_dir: str) -> None:
        """Brings the input artifacts, and the working folder where it is whole."""
        # Pusher asks ML Metadata which spans there are, and reads none.
        read = [
            uri for key, uris in inputs.items() if (self._node, key) != (nodes.PUSHER, EXAMPLES_KEY) for uri in uris
        ]
        units = self._units(read)
        if (working := self._root.unit(working_dir)) is not None and self._root.is_whole(working):
            units.append(working)
        self._root.bring(units)

    def take(self, node_id: str, outputs: Sequence[str], working_dir: str) -> None:
        """Takes the output artifacts, and what else the node has made; a release last, for servers see it.

        It is tried for a minute or so: what is to be kept may be the work of hours.
        """
        _patiently(partial(self._take, node_id, outputs, working_dir), _PAUSES)

    def _take(self, node_id: str, outputs: Sequence[str], working_dir: str) -> None:
        self._root.take(self._units(outputs))
        if node_id in _WITH_PREPARED:
            self._prepared.take()
        if node_id == nodes.PUSHER:
            self._releases.take()
        if (working := self._root.unit(working_dir)) is not None:
            self._root.forget(working)

    def take_unfinished(self, *, is_ending: bool = False) -> None:
        """Takes the working folders of a node that has failed, for the next attempt: a training's checkpoints.

        Args:
            is_ending: whether this process was asked to end: then it is not tried for long.
        """
        folder = self._root.folder / _ARTIFACTS / self._node / _WORKING
        found = [path for path in folder.iterdir() if any(path.rglob("*"))] if folder.is_dir() else []
        take = partial(self._root.take, self._units(map(str, found)))
        _patiently(take, _PAUSES_AT_THE_END if is_ending else _PAUSES)

    def bring_shown(self, outcome: NodeOutcome) -> None:
        """Brings outputs of which a report is made and that are not here, as they come from the cache."""
        if self._node in _SHOWN:
            made = [output.uri for outputs in outcome.outputs.values() for output in outputs]
            self._root.bring(self._units(made))

    def _units(self, paths: Iterable[str]) -> list[str]:
        return [unit for path in paths if (unit := self._root.unit(path)) is not None]


def _patiently(take: Callable[[], None], pauses: Iterable[float]) -> None:
    for pause in pauses:
        try:
            return take()
        except RunError as error:
            _LOG.warning("Tried again in %d s: %s", pause, error)
            time.sleep(pause)
    return take()
