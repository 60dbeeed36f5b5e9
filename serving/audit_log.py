"""What was done to a model's labels, by whom and why: `audit.jsonl` in the model's folder, one JSON object a line.

Lines are only ever added. Model servers ignore the file: its name is no number.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import ReleaseError
from serving.saved_model import sync_directory

FILE_NAME = "audit.jsonl"
STABLE = "stable"
CANARY = "canary"


class AuditEntry(BaseModel):
    """One action.

    Attributes:
        time: when it ended, UTC.
        action: promote, canary, rollback, or noticed: the labels were found to be others than the log says, because
            something else wrote them or a command was killed.
        label: the label that it was about.
        before: the version that had the label, or None; `from` in the file.
        after: the version that was to have it; `to` in the file.
        labels: all labels once it had ended.
        who: user.
        host: machine on which the command ran.
        why: the reason that was given.
        forced: the reason for which a version that is not blessed was taken all the same, or None.
        percent: of a canary, the percentage of requests that clients are to send to it, or None.
        servers: model servers that were told.
        kept: models that they were told to keep beside those of models.config.
        outcome: failed: nothing has changed, and `error` says why.
        error: what went wrong; empty where nothing did.
    """

    # A log outlives the program that writes it: keys of a later one are no reason not to read it.
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    time: AwareDatetime
    action: Literal["promote", "canary", "rollback", "noticed"]
    label: str
    before: int | None = Field(alias="from")
    after: int | None = Field(alias="to")
    labels: dict[str, int]
    who: str
    host: str
    why: str = ""
    forced: str | None = None
    percent: float | None = None
    servers: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    outcome: Literal["done", "failed"] = "done"
    error: str = ""


class AuditLog:
    """The log of one model.

    Args:
        directory: the model's folder.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE_NAME

    def entries(self) -> tuple[AuditEntry, ...]:
        """All actions, the first one first.

        Raises:
            ReleaseError: a line is not what `append` writes, or the file cannot be read.
        """
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise ReleaseError(
                "The audit log cannot be read.",
                where=str(self.path),
                received=error.strerror,
                fix="Make it readable for this user.",
            ) from error
        # What follows the last line break was cut off by a power failure before `append` returned.
        return tuple(self._entry(number, line) for number, line in enumerate(lines[:-1], start=1))

    def append(self, entry: AuditEntry) -> None:
        """Adds an entry, and returns when it is on the disk. The caller holds a lock.

        Raises:
            OSError: it cannot be written; the log is what it was.
        """
        data = entry.model_dump_json(by_alias=True).encode() + b"\n"
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            size = _whole_lines(descriptor)
            if size != os.fstat(descriptor).st_size:
                os.ftruncate(descriptor, size)
            try:
                if os.write(descriptor, data) != len(data):
                    # The rest did not fit; writing it says why.
                    raise OSError(28, os.strerror(28), str(self.path))
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, size)
                raise
        finally:
            os.close(descriptor)
        sync_directory(self.path.parent)

    def reconcile(self, labels: dict[str, int]) -> None:
        """Notes it where the labels are others than the log says. The caller holds a lock.

        Args:
            labels: as they are.

        Raises:
            ReleaseError: the log cannot be read.
            OSError: it cannot be written.
        """
        entries = self.entries()
        known = entries[-1].labels if entries else {}
        if labels == known:
            return
        label = next(name for name in (STABLE, *sorted({*labels, *known})) if labels.get(name) != known.get(name))
        self.append(
            AuditEntry(
                time=datetime.now(timezone.utc),
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

    def _entry(self, number: int, line: bytes) -> AuditEntry:
        try:
            return AuditEntry.model_validate_json(line)
        except ValidationError as error:
            raise ReleaseError(
                "A line of the audit log cannot be read.",
                where=f"{self.path}, line {number}",
                received=line[:200].decode(errors="replace"),
                fix="Something else wrote there. Delete that line; or move the file away: labels stay as they are, and "
                "a new log begins, without what rollbacks go back through.",
            ) from error


def stable_history(entries: Iterable[AuditEntry]) -> tuple[int, ...]:
    """The versions that rollbacks go back through: the last one is `stable`, the one before it is next.

    A rollback takes versions away from the end, so that a second one goes further back, and never to what the first one
    left.
    """
    stack: list[int] = []
    for entry in entries:
        now = entry.labels.get(STABLE)
        if now is None or stack[-1:] == [now]:
            continue
        if now in stack and (entry.action != "promote" or entry.outcome == "failed"):
            while stack[-1] != now:
                stack.pop()
        else:
            stack.append(now)
    return tuple(stack)


def _whole_lines(descriptor: int) -> int:
    """Bytes up to and with the last line break."""
    size = os.fstat(descriptor).st_size
    while size and os.pread(descriptor, 1, size - 1) != b"\n":
        size -= 1
    return size
