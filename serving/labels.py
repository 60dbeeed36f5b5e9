"""Which versions of a model are `stable` and `canary`: moves of labels that cannot break what is served.

A move is: load the version beside what is served, wait for it, move the label, write it down, unload what is no longer
needed. Up to the moment when every server has moved, everything can be put back in one step, as nothing was unloaded.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from schemas.errors import ReleaseError
from schemas.storage_error import storage_error
from serving.audit_log import CANARY, STABLE, AuditEntry, AuditLog, stable_history
from serving.directory_lock import directory_lock
from serving.other_models import neighbours, refuse_unloading
from serving.releases import ReleaseStore
from serving.served_models import ServedModels, entry_of, labels_of, loaded_versions, with_model
from serving.traffic_split import TrafficSplit, read_split, write_split
from serving.verification import verify

if TYPE_CHECKING:
    from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

    from serving.remote_server import RemoteServer

Action = Literal["promote", "canary", "rollback"]
_SHOWN = 3


@dataclass(frozen=True)
class Request:
    """Who asks for a move, why, and how it is to be done.

    Attributes:
        who: user.
        host: of the command.
        why: the reason.
        force: why a version that is not blessed is to be taken all the same; None: it is not.
        servers: gRPC addresses of model servers to tell, `host:port`.
        load_seconds: how long a server may take to load a version.
        settle_seconds: how long to wait between loading and labelling, for servers that read models.config themselves.
        base_path: the model's folder as servers see it; default: as models.config has it, else as it is here.
        keep: models that servers keep beside those of models.config.
        others: names of further models that they may have; whether they do is asked before they are told.
        unload_others: whether they may lose those.
    """

    who: str
    host: str
    why: str = ""
    force: str | None = None
    servers: tuple[str, ...] = ()
    load_seconds: float = 300.0
    settle_seconds: float = 0.0
    base_path: str | None = None
    keep: ModelServerConfig | None = None
    others: tuple[str, ...] = ()
    unload_others: bool = False


@dataclass(frozen=True)
class Moved:
    """What was done.

    Attributes:
        entry: the line of the audit log.
        notes: what did not work and changes nothing of it: servers that still hold what they no longer need.
    """

    entry: AuditEntry
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Tried(Moved):
    """A canary that was begun.

    Attributes:
        split: the part of the live requests that goes to it from now on.
    """

    split: TrafficSplit


class Labels:
    """The labels of one model.

    Args:
        root: folder of all released models.
        model: its name.
    """

    def __init__(self, root: Path, model: str) -> None:
        self.store = ReleaseStore(root, model)
        self.log = AuditLog(self.store.directory)
        self._root = root
        self._served = ServedModels(root)

    def current(self) -> dict[str, int]:
        """Versions by label.

        Raises:
            ReleaseError: models.config cannot be read.
        """
        return labels_of(self._served.config(), self.store.model)

    def promote(self, version: int, request: Request, *, canary: bool = False) -> Moved:
        """Makes a version `stable`. A canary of it has ended then.

        Args:
            version: its number.
            request: who, why and how.
            canary: only if the version is still the canary.

        Raises:
            ReleaseError: the version is altered or not blessed, a server does not follow, or the store cannot be
                written; nothing has changed then.
        """
        with self._changing():
            labels = self.current()
            if canary and labels.get(CANARY) != version:
                raise self._overtaken(version, labels)
            self._check(version, request.force)
            return self._move("promote", STABLE, version, _promoted(labels, version), request)

    def canary(self, version: int, request: Request, percent: float = 0.0) -> Tried:
        """Makes a version `canary`.

        Args:
            version: its number.
            request: who, why and how.
            percent: of the live requests that go to it; default: none, its label is all.

        Raises:
            ReleaseError: as `promote`, and if no version is stable, or this one is.
        """
        with self._changing():
            labels = self.current()
            if STABLE not in labels:
                raise ReleaseError(
                    "No version is stable yet, so there is nothing to compare a canary with.",
                    where=str(self._served.path),
                    fix="Promote a version first: scalable-tf release promote VERSION.",
                )
            if labels[STABLE] == version:
                raise ReleaseError(
                    f"Version {version} is stable: it cannot be compared with itself.",
                    where=str(self._served.path),
                    received=_shown(labels),
                    fix="Take another version. scalable-tf release rollback --canary ends a canary.",
                )
            self._check(version, request.force)
            split = TrafficSplit(id=secrets.token_hex(8), stable=labels[STABLE], canary=version, percent=percent)
            moved = self._move("canary", CANARY, version, {**labels, CANARY: version}, request, split)
            return Tried(moved.entry, moved.notes, split=split)

    def rollback(self, request: Request, to: int | None = None) -> Moved:
        """Gives `stable` back to the version that had it before, or to another one.

        Args:
            request: who, why and how.
            to: its number; default: from the audit log.

        Raises:
            ReleaseError: there is no such version, it is altered, or it was never stable and is not blessed; a server
                does not follow, or the store cannot be written; nothing has changed then.
        """
        with self._changing():
            labels, entries = self.current(), self.log.entries()
            version = self._before(labels) if to is None else to
            was_stable = any(entry.labels.get(STABLE) == version for entry in entries)
            self._check(version, "it was stable" if was_stable else request.force)
            return self._move("rollback", STABLE, version, _promoted(labels, version), request)

    def end_canary(self, request: Request, version: int | None = None) -> Moved:
        """Gives `canary` back to the stable version, so that clients which ask for it are served on.

        Args:
            request: who, why and how.
            version: only if this one is still the canary.

        Raises:
            ReleaseError: there is no canary, a server does not follow, or the store cannot be written; nothing has
                changed then.
        """
        with self._changing():
            labels = self.current()
            if version is not None and labels.get(CANARY) != version:
                raise self._overtaken(version, labels)
            if STABLE not in labels or labels.get(CANARY, labels[STABLE]) == labels[STABLE]:
                raise ReleaseError(
                    "There is no canary.",
                    where=str(self._served.path),
                    received=_shown(labels),
                    fix="scalable-tf release rollback, without --canary, changes what is stable.",
                )
            return self._move("rollback", CANARY, labels[STABLE], {**labels, CANARY: labels[STABLE]}, request)

    def _before(self, labels: Mapping[str, int]) -> int:
        """The version that a rollback goes back to."""
        history = stable_history(self.log.entries())
        there = self.store.versions()
        earlier = [version for version in history[:-1] if version in there and version != labels.get(STABLE)]
        if not earlier:
            raise ReleaseError(
                "There is no version to go back to: none that is still there was stable before.",
                where=str(self.log.path),
                received=_shown(labels),
                fix=f"Name one: scalable-tf release rollback --to VERSION. {self._versions(labels.get(STABLE))}",
            )
        return earlier[-1]

    def _check(self, version: int, force: str | None) -> None:
        directory = self.store.versions().get(version)
        if directory is None:
            self.store.get(version)  # says what there is
            return
        if faults := verify(directory, version):
            more = f" and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
            raise ReleaseError(
                f"Version {version} is not what was released.",
                where=str(directory),
                received=", ".join(fault.message for fault in faults[:_SHOWN]) + more,
                fix=f"Restore its files, or take another version. {self._versions(version)}",
            )
        if not self.store.get(version).blessing.blessed and not force:
            raise ReleaseError(
                f"Version {version} is not blessed.",
                where=str(directory),
                fix="Take a blessed one, or say why this one is needed: --force REASON.",
            )

    def _move(
        self,
        action: Action,
        label: str,
        version: int,
        labels: dict[str, int],
        request: Request,
        split: TrafficSplit | None = None,
    ) -> Moved:
        """Moves a label; the caller holds the lock and has checked the version.

        The split is written first: its part means nothing before its labels are set, and holds from then on. Whichever
        there is keeps unlabelled requests from versions that are loaded and newer than the stable one.
        """
        directory = self.store.directory
        text, before, model = self._served.text(), self._served.config(), self.store.model
        old = labels_of(before, model)
        entry = AuditEntry(
            time=_now(),
            action=action,
            label=label,
            before=old.get(label),
            after=version,
            labels=labels,
            who=request.who,
            host=request.host,
            why=request.why,
            forced=request.force,
            percent=split.percent if split else None,
            servers=request.servers,
            kept=tuple(entry.name for entry in request.keep.model_config_list.config) if request.keep else (),
        )
        there = self.store.versions()
        known = entry_of(before, model)
        base_path = request.base_path or (known.base_path if known else str(self.store.directory.absolute()))
        needed = self._needed(labels, (*self.log.entries(), entry))
        both = needed | loaded_versions(before, model, there)
        loading = with_model(before, model, base_path, labels=old, versions=both)
        labelled = with_model(before, model, base_path, labels=labels, versions=both)
        final = with_model(before, model, base_path, labels=labels, versions=needed)
        told: list[RemoteServer] = []
        split_before = _readable_split(directory) or TrafficSplit.nothing(old.get(STABLE, version))
        with contextlib.ExitStack() as connections:
            servers = [connections.enter_context(server) for server in _servers(request)]
            try:
                if servers and not request.unload_others:
                    kept = [name for entry in self.log.entries() for name in entry.kept]
                    named = dict.fromkeys([*kept, *request.others])
                    refuse_unloading(servers, final, {**named, **neighbours(self._root)})
                write_split(directory, split or split_before)
                # From here on a retention that deletes old versions leaves these alone.
                with directory_lock(self.store.directory):
                    self._check_there(version)
                    self._served.write(loading)
                for server in servers:
                    told.append(server)
                    server.load(loading)
                for server in servers:
                    server.wait_until_available(labelled)
                time.sleep(request.settle_seconds)
                for server in servers:
                    server.reload(labelled)
                entry = entry.model_copy(update={"time": _now()})
                # Before the file: what was done is known even if the process dies in between.
                self.log.append(entry)
                self._served.write(final)
            except BaseException as error:
                unlabelled = with_model(before, model, base_path, labels=old, versions=None)
                lost = self._put_back(text, split_before, before if known else unlabelled, told)
                self._fail(entry, old, error)
                if lost and isinstance(error, ReleaseError):
                    received = f"{error.received or ''}; not put back: {'; '.join(lost)}".removeprefix("; ")
                    raise ReleaseError(error.what, where=error.where, received=received, fix=error.fix) from error
                raise
            if split is None:
                with contextlib.suppress(OSError):  # its part means nothing without its labels
                    write_split(directory, TrafficSplit.nothing(labels[STABLE]))
            return Moved(entry, tuple(_unloaded(servers, final) if final != labelled else ()))

    def _check_there(self, version: int) -> None:
        """A retention may have deleted the version since it was checked."""
        if version not in self.store.versions():
            self.store.get(version)

    def _needed(self, labels: Mapping[str, int], entries: tuple[AuditEntry, ...]) -> set[int]:
        """The versions that servers are to hold: those with labels, and the one that a rollback would go back to.

        Not one that is newer than the stable one: requests that name neither version nor label get the newest that is
        loaded.
        """
        there, history = self.store.versions(), stable_history(entries)
        previous = next((version for version in reversed(history[:-1]) if version in there), None)
        needed = set(labels.values())
        if previous is not None and previous < labels.get(STABLE, 0):
            needed.add(previous)
        return needed

    def _put_back(
        self, text: str | None, split: TrafficSplit, config: ModelServerConfig, told: Iterable[RemoteServer]
    ) -> list[str]:
        """Undoes a move that has failed. Returns what could not be undone."""
        lost = []
        try:
            self._served.write_text(text)
            write_split(self.store.directory, split)
        except OSError as error:
            lost.append(f"{self._served.path}: {error.strerror}")
        for server in told:
            try:
                server.load(config)
            except ReleaseError as error:
                lost.append(f"{server.address}: {error.received}")
        return lost

    def _fail(self, entry: AuditEntry, labels: dict[str, int], error: BaseException) -> None:
        what = " ".join(str(error).split()) or type(error).__name__
        failed = entry.model_copy(update={"time": _now(), "labels": labels, "outcome": "failed", "error": what})
        with contextlib.suppress(OSError):  # a full disk has been told already
            self.log.append(failed)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Holds the lock of all models' config; notes what happened to the labels since the last action."""
        if not self.store.directory.is_dir():
            self.store.get(0)  # says that there is nothing
        try:
            with directory_lock(self._root):
                self._notice()
                yield
        except OSError as error:
            raise storage_error(error, self._root) or ReleaseError(
                "The labels of the released versions cannot be written.",
                where=str(error.filename or self._root),
                received=error.strerror or error,
                fix="Check who may write there, and what limits there are on files (ulimit -a).",
            ) from error

    def _notice(self) -> None:
        entries, labels = self.log.entries(), self.current()
        known = entries[-1].labels if entries else {}
        if labels == known:
            return
        label = next(name for name in (STABLE, *sorted({*labels, *known})) if labels.get(name) != known.get(name))
        self.log.append(
            AuditEntry(
                time=_now(),
                action="noticed",
                label=label,
                before=known.get(label),
                after=labels.get(label),
                labels=labels,
                who="",
                host="",
                why="models.config was written by something else, or a command was killed",
            )
        )

    def _overtaken(self, version: int, labels: Mapping[str, int]) -> ReleaseError:
        return ReleaseError(
            f"Version {version} is no longer the canary.",
            where=str(self._served.path),
            received=_shown(labels),
            fix="Somebody else has moved the label meanwhile: scalable-tf release show VERSION tells who.",
        )

    def _versions(self, besides: int | None) -> str:
        there = [str(version) for version in self.store.versions() if version != besides]
        return f"Other versions there: {', '.join(there) or 'none'}."


def _promoted(labels: Mapping[str, int], version: int) -> dict[str, int]:
    """Labels when `stable` has moved. A canary that has ended, or ends by this, goes along."""
    moved = {**labels, STABLE: version}
    if CANARY in labels and labels[CANARY] in (labels.get(STABLE), version):
        moved[CANARY] = version
    return moved


def _readable_split(directory: Path) -> TrafficSplit | None:
    try:
        return read_split(directory)
    except ReleaseError:
        return None


def _servers(request: Request) -> list[RemoteServer]:
    if not request.servers:
        return []
    # TensorFlow Serving's messages bring all of TensorFlow with them: seconds, which a rollback without servers saves.
    from serving.remote_server import RemoteServer

    return [RemoteServer(address, request.load_seconds, request.keep) for address in request.servers]


def _unloaded(servers: Iterable[RemoteServer], final: ModelServerConfig) -> Iterator[str]:
    """Has servers unload what they no longer need; what they say where that fails."""
    for server in servers:
        try:
            server.reload(final)
        except ReleaseError as error:
            yield f"{server.address} has the labels, but still holds versions that it no longer needs: {error.received}"


def _shown(labels: Mapping[str, int]) -> str:
    return ", ".join(f"{label} {version}" for label, version in labels.items()) or "no labels"


def _now() -> datetime:
    return datetime.now(timezone.utc)
