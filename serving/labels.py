"""Which versions of a model are `stable` and `canary`: what may be asked of the labels, and what is refused."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from schemas.errors import ReleaseError
from schemas.storage_error import storage_error
from serving.audit_log import CANARY, STABLE, AuditLog, stable_history
from serving.change_request import ChangeRequest
from serving.label_change import LabelChange
from serving.release_locks import release_locks
from serving.releases import ReleaseStore
from serving.rollout import Rollout
from serving.served_models import ServedModels, labels_of
from serving.traffic_split import TrafficSplit
from serving.verification import verify

_SHOWN = 3


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

    def promote(self, version: int, request: ChangeRequest, *, canary: bool = False) -> LabelChange:
        """Makes a version `stable`. A canary of it has ended then.

        Args:
            version: its number.
            request: who, why and how.
            canary: only if the version is still the canary.

        Raises:
            ReleaseError: the version is altered or not blessed, a server does not follow, or the store cannot be
                written; nothing has changed then.
        """
        with self._changing(request) as rollout:
            labels = self.current()
            if canary and labels.get(CANARY) != version:
                raise self._overtaken(version, labels)
            self._check(version, request.force)
            return rollout.run("promote", STABLE, _promoted(labels, version))

    def canary(self, version: int, request: ChangeRequest, percent: float = 0.0) -> LabelChange:
        """Makes a version `canary`.

        Args:
            version: its number.
            request: who, why and how.
            percent: of the live requests that go to it; default: none, its label is all.

        Raises:
            ReleaseError: as `promote`, and if no version is stable, or this one is.
        """
        with self._changing(request) as rollout:
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
            return rollout.run("canary", CANARY, {**labels, CANARY: version}, split)

    def rollback(self, request: ChangeRequest, to: int | None = None) -> LabelChange:
        """Gives `stable` back to the version that had it before, or to another one.

        Args:
            request: who, why and how.
            to: its number; default: from the audit log.

        Raises:
            ReleaseError: there is no such version, it is altered, or it was never stable and is not blessed; a server
                does not follow, or the store cannot be written; nothing has changed then.
        """
        with self._changing(request) as rollout:
            labels, entries = self.current(), self.log.entries()
            version = self._before(labels) if to is None else to
            was_stable = any(entry.labels.get(STABLE) == version for entry in entries)
            self._check(version, "it was stable" if was_stable else request.force)
            return rollout.run("rollback", STABLE, _promoted(labels, version))

    def end_canary(self, request: ChangeRequest, version: int | None = None) -> LabelChange:
        """Gives `canary` back to the stable version, so that clients which ask for it are served on.

        Args:
            request: who, why and how.
            version: only if this one is still the canary.

        Raises:
            ReleaseError: there is no canary, a server does not follow, or the store cannot be written; nothing has
                changed then.
        """
        with self._changing(request) as rollout:
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
            return rollout.run("rollback", CANARY, {**labels, CANARY: labels[STABLE]})

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

    @contextlib.contextmanager
    def _changing(self, request: ChangeRequest) -> Iterator[Rollout]:
        """Holds the lock of all models' config; notes what happened to the labels since the last action."""
        if not self.store.directory.is_dir():
            self.store.get(0)  # says that there is nothing
        try:
            with release_locks(self._root, request.keep):
                self.log.reconcile(self.current())
                yield Rollout(self.store, self.log, self._served, request)
        except OSError as error:
            raise storage_error(error, self._root) or ReleaseError(
                "The labels of the released versions cannot be written.",
                where=str(error.filename or self._root),
                received=error.strerror or error,
                fix="Check who may write there, and what limits there are on files (ulimit -a).",
            ) from error

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


def _shown(labels: Mapping[str, int]) -> str:
    return ", ".join(f"{label} {version}" for label, version in labels.items()) or "no labels"
