"""What one node brings from the shared root and takes there."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from components.pusher.executor import EXAMPLES_KEY
from pipeline import nodes
from runners.kubeflow.root.shared_root import SharedRoot
from runners.node import NodeOutcome
from schemas.errors import ReleaseError, RunError
from serving.release import FILE_NAME as RELEASE_FILE

_LOG = logging.getLogger(__name__)
_PAUSES = (5, 15, 40)
"""Seconds."""
ARTIFACTS, PREPARED, RELEASES = "artifacts", "prepared", "releases"
_WORKING = ".system/stateful_working_dir"
_MODEL_FILE = "saved_model.pb"
_KEPT = ".fingerprint"
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
        self._run_id = run_id
        self._node = node_id
        self._brought: set[str] = set()

    def prepare(self, node_id: str) -> None:
        """Brings what drivers read, and an empty folder for each output that the node has ever made.

        TFX's cache takes an output for one that is there when its folder is; whether it is as it was published is asked
        of the root itself.
        """
        for unit in self._root.units(f"{ARTIFACTS}/{node_id}"):
            if f"/{_WORKING}/" not in unit:
                (self._root.folder / unit).mkdir(parents=True, exist_ok=True)
        if node_id in _WITH_PREPARED:
            self._brought = set(self._root.units(PREPARED))
            self._root.bring(self._brought)
        if node_id == nodes.PUSHER:
            self._bring_records()

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
        for pause in _PAUSES:
            try:
                return self._take(node_id, outputs, working_dir)
            except RunError as error:
                _LOG.warning("Tried again in %d s: %s", pause, error)
                time.sleep(pause)
        return self._take(node_id, outputs, working_dir)

    def _take(self, node_id: str, outputs: Sequence[str], working_dir: str) -> None:
        self._root.take(self._units(outputs))
        if node_id in _WITH_PREPARED:
            self._take_prepared()
        if node_id == nodes.PUSHER:
            self._take_releases()
        if (working := self._root.unit(working_dir)) is not None:
            self._root.forget(working)

    def take_unfinished(self) -> None:
        """Takes the working folders of a node that has failed, for the next attempt: a training's checkpoints."""
        folder = self._root.folder / ARTIFACTS / self._node / _WORKING
        found = [path for path in folder.iterdir() if any(path.rglob("*"))] if folder.is_dir() else []
        self._root.take(self._units(map(str, found)))

    def bring_shown(self, outcome: NodeOutcome) -> None:
        """Brings outputs of which a report is made and that are not here, as they come from the cache."""
        if self._node in _SHOWN:
            made = [output.uri for outputs in outcome.outputs.values() for output in outputs]
            self._root.bring(self._units(made))

    def _units(self, paths: Iterable[str]) -> list[str]:
        return [unit for path in paths if (unit := self._root.unit(path)) is not None]

    def _bring_records(self) -> None:
        """Brings the record of each release, and keeps numbers free that others have.

        The models stay where they are: a release is published, recognised and retired by its record.
        """
        objects = self._root.store.list(f"{RELEASES}/")
        records = {name: stat for name, stat in objects.items() if _is_record(name)}
        self._root.bring_files(records)
        self._brought = {name.removesuffix(f"/{RELEASE_FILE}") for name in records}
        begun = {"/".join(name.split("/")[:3]) for name in objects if name.count("/") > 2}
        claimed = set(self._root.claims(RELEASES))
        for unit in (begun | claimed) - self._brought:
            # Ours are of an attempt before this one, and are released anew.
            if not (unit in claimed and self._root.is_claimed_by(unit, self._run_id)):
                (self._root.folder / unit).mkdir(parents=True, exist_ok=True)

    def _take_releases(self) -> None:
        folder = self._root.folder / RELEASES
        here = {f"{RELEASES}/{file.parent.relative_to(folder).as_posix()}" for file in _records(folder)}
        for unit in sorted(here - self._brought):
            if not self._root.claim(unit, self._run_id):
                raise ReleaseError(
                    "Another run is releasing this version.",
                    where=f"{self._root.url}/{unit}",
                    fix="Run the task again: the model is released as the next version.",
                )
            self._root.take([unit], last=(_MODEL_FILE, RELEASE_FILE))
        for unit in sorted(self._brought - here):
            self._root.forget(unit, first=(RELEASE_FILE, _MODEL_FILE))

    def _take_prepared(self) -> None:
        folder = self._root.folder / PREPARED
        kept = {file.parent for file in folder.rglob(_KEPT) if not _is_staged(file.relative_to(folder))}
        units = self._units(map(str, kept))
        self._root.take(units)
        for unit in sorted(self._brought - set(units)):
            self._root.forget(unit)


def _records(folder: Path) -> list[Path]:
    return [file for file in folder.glob(f"*/*/{RELEASE_FILE}") if not file.parent.name.startswith(".")]


def _is_record(name: str) -> bool:
    return name.count("/") == 3 and name.endswith(f"/{RELEASE_FILE}")


def _is_staged(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts[:-1])
