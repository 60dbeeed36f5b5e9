"""The move of a label that cannot break what is served.

It is: load the version beside what is served, wait for it, move the label, write it down, unload what is no longer
needed. Up to the moment when every server has moved, everything can be put back in one step, as nothing was unloaded.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Literal

from schemas.errors import ReleaseError
from serving.audit_log import STABLE, AuditEntry, AuditLog, stable_history
from serving.change_request import ChangeRequest
from serving.directory_lock import directory_lock
from serving.label_change import LabelChange
from serving.other_models import kept_models, neighbours, refuse_unloading
from serving.releases import ReleaseStore
from serving.rollout_plan import RolloutPlan
from serving.served_models import ServedModels, entry_of, labels_of
from serving.traffic_split import TrafficSplit, read_split, write_split

if TYPE_CHECKING:
    from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

    from serving.remote_server import RemoteServer

Action = Literal["promote", "canary", "rollback"]


class Rollout:
    """One change of one model's labels. The caller holds the lock of models.config, and has checked the version.

    Args:
        store: the model's versions.
        log: of the model.
        served: models.config.
        request: who asks, why, and which servers are told.
    """

    def __init__(self, store: ReleaseStore, log: AuditLog, served: ServedModels, request: ChangeRequest) -> None:
        self._store = store
        self._log = log
        self._served = served
        self._request = request
        self._keep = kept_models(request.keep, checked=False)

    def run(
        self, action: Action, label: str, labels: Mapping[str, int], split: TrafficSplit | None = None
    ) -> LabelChange:
        """Moves a label.

        The split is written first: its part means nothing before its labels are set, and holds from then on. Whichever
        there is keeps unlabelled requests from versions that are loaded and newer than the stable one.

        Args:
            action: what it is called in the log.
            label: the one that moves.
            labels: all of them, as they are to be; one is stable.
            split: of a canary that begins; default: no request goes to one any more.

        Raises:
            ReleaseError: a server does not follow, the version is gone, or what is served cannot be read; nothing has
                changed then, or the error names what could not be put back.
            OSError: something cannot be written; likewise.
        """
        text, config = self._served.text(), self._served.config()
        old = labels_of(config, self._store.model)
        entry = self._entry(action, label, old, labels, split)
        plan = self._plan(config, entry)
        none_before = TrafficSplit.nothing(old.get(STABLE, labels[label]))
        split_before = self._split_before(none_before)
        no_split = TrafficSplit.nothing(labels[STABLE])
        told: list[RemoteServer] = []
        with contextlib.ExitStack() as connections:
            servers = [connections.enter_context(server) for server in self._servers()]
            try:
                self._refuse_unloading(servers, plan.final)
                write_split(self._store.directory, split or split_before or none_before)
                # From here on a retention that deletes old versions leaves these alone.
                with directory_lock(self._store.directory):
                    self._check_there(labels[label])
                    self._served.write(plan.loading)
                for server in servers:
                    told.append(server)
                    server.load(plan.loading)
                for server in servers:
                    server.wait_until_available(plan.labelled)
                time.sleep(self._request.settle_seconds)
                for server in servers:
                    server.reload(plan.labelled)
                entry = entry.model_copy(update={"time": _now()})
                # Before the file: what was done is known even if the process dies in between.
                self._log.append(entry)
                self._served.write(plan.final)
            except BaseException as error:
                lost = self._put_back(text, split_before, plan.before, told)
                self._fail(entry, old, error)
                if lost and isinstance(error, ReleaseError):
                    received = f"{error.received or ''}; not put back: {'; '.join(lost)}".removeprefix("; ")
                    raise ReleaseError(error.what, where=error.where, received=received, fix=error.fix) from error
                raise
            if split is None:
                with contextlib.suppress(OSError):  # its part means nothing without its labels
                    write_split(self._store.directory, no_split)
            notes = tuple(_unloaded(servers, plan.final) if plan.final != plan.labelled else ())
            return LabelChange(entry, split or no_split, notes)

    def _servers(self) -> list[RemoteServer]:
        request = self._request
        if not request.servers:
            return []
        # TensorFlow Serving's messages bring all of TensorFlow with them: seconds, which a rollback without servers
        # saves.
        from serving.remote_server import RemoteServer

        return [RemoteServer(address, request.load_seconds, self._keep, request.tls) for address in request.servers]

    def _entry(
        self,
        action: Action,
        label: str,
        old: Mapping[str, int],
        labels: Mapping[str, int],
        split: TrafficSplit | None,
    ) -> AuditEntry:
        return AuditEntry(
            time=_now(),
            action=action,
            label=label,
            before=old.get(label),
            after=labels[label],
            labels=dict(labels),
            who=self._request.who,
            host=self._request.host,
            why=self._request.why,
            forced=self._request.force,
            percent=split.percent if split else None,
            servers=self._request.servers,
            kept=tuple(entry.name for entry in self._keep.model_config_list.config),
        )

    def _plan(self, config: ModelServerConfig, entry: AuditEntry) -> RolloutPlan:
        known = entry_of(config, self._store.model)
        return RolloutPlan.of(
            config,
            self._store.model,
            entry.labels,
            history=stable_history((*self._log.entries(), entry)),
            there=self._store.versions(),
            base_path=self._request.base_path or (known.base_path if known else str(self._store.directory.absolute())),
        )

    def _split_before(self, unreadable: TrafficSplit) -> TrafficSplit | None:
        try:
            return read_split(self._store.directory)
        except ReleaseError:
            return unreadable

    def _refuse_unloading(self, servers: Sequence[RemoteServer], config: ModelServerConfig) -> None:
        """Servers unload what a config does not name: whether they have other models is asked first."""
        if servers and not self._request.unload_others:
            kept = [name for entry in self._log.entries() for name in entry.kept]
            named = dict.fromkeys([*kept, *self._request.others])
            refuse_unloading(servers, config, {**named, **neighbours(self._served.path.parent)})

    def _check_there(self, version: int) -> None:
        """A retention may have deleted the version since it was checked."""
        if version not in self._store.versions():
            self._store.get(version)

    def _put_back(
        self, text: str | None, split: TrafficSplit | None, config: ModelServerConfig, told: Iterable[RemoteServer]
    ) -> list[str]:
        """Undoes a move that has failed. Returns what could not be undone."""
        lost = []
        try:
            self._served.write_text(text)
            write_split(self._store.directory, split)
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
            self._log.append(failed)


def _unloaded(servers: Iterable[RemoteServer], final: ModelServerConfig) -> Iterator[str]:
    """Has servers unload what they no longer need; what they say where that fails."""
    for server in servers:
        try:
            server.reload(final)
        except ReleaseError as error:
            yield f"{server.address} has the labels, but still holds versions that it no longer needs: {error.received}"


def _now() -> datetime:
    return datetime.now(timezone.utc)
