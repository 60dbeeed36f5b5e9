"""What a connection to a store must know about the store's kind."""

from __future__ import annotations

import contextlib
import enum
from abc import ABC, abstractmethod
from typing import Any, Protocol

from google.protobuf.message import Message
from ml_metadata.errors import StatusError

from configs.account import Account
from schemas.errors import RunError

CHECK_SECONDS = 10
"""How long a server may take to answer a first call."""


class Lock(Protocol):
    """A lock in a database, on a connection of its own: it goes with the connection."""

    def acquire(self) -> bool:
        """Whether it is held now."""

    def holder(self) -> str:
        """Who holds it, as far as the server tells; empty if nobody does any more."""

    def is_held(self) -> bool:
        """Whether it still is, after `acquire`."""

    def close(self) -> None:
        """Gives it back."""


class StoreUnreachableError(RunError):
    """What may pass by itself: a server that is down or restarts, a lock of another program."""


class Failure(enum.Enum):
    """What a failed call says about the store."""

    BUSY = "nothing was written, and the same call may succeed later"
    LOST = "the connection is gone, and with it the answer"


class Backend(ABC):
    """One store.

    Attributes:
        place: what errors call the store; without secrets.
        check_first: whether `check` comes before every connection of the library, which may wait for minutes, or only
            after one that failed.
    """

    place: str
    check_first = True

    @abstractmethod
    def config(self) -> Any:
        """ML Metadata's ConnectionConfig or MetadataStoreClientConfig; it holds the secrets."""

    @abstractmethod
    def check(self) -> None:
        """Tries to reach the store, without ML Metadata's library, which hides why it cannot.

        Raises:
            StoreUnreachableError: this may pass by itself.
            RunError: this does not.
        """

    @abstractmethod
    def failure(self, error: StatusError) -> Failure | None:
        """What the error of a call says about the store; None: nothing, it is an answer."""

    def outgoing(self, request: Message) -> Message:
        """The request as this kind of store needs it."""
        return request

    def incoming(self, response: Message) -> None:
        """Undoes in an answer what `outgoing` does, in place."""
        del response  # most kinds store what they get

    def refused(self, reason: str) -> RunError:
        """The error for a store that passed the check, and that the library refused."""
        if "library version" in reason:
            return RunError(
                "The metadata store was made by another version of ML Metadata.",
                where=self.place,
                received=reason.split(". ")[0],
                fix="Use the version that made it, or name another store in metadata.url. Nothing was changed.",
            )
        return RunError(
            "ML Metadata cannot use this store.",
            where=self.place,
            received=reason.strip() or "no reason from the library",
            fix="Name an empty database, or one of ML Metadata, whose user may create tables.",
        )

    def taken(self, holder: str) -> RunError:
        """The error for a lock that somebody else holds."""
        return RunError(
            "Another run of this pipeline is using this metadata store.",
            where=self.place,
            received=holder or None,
            fix="Wait until it ends, or give this pipeline another name.",
        )

    def unreachable(self, reason: object, *, fix: str = "") -> StoreUnreachableError:
        """The error for a store that does not answer now."""
        return StoreUnreachableError(
            "The metadata store cannot be reached.",
            where=self.place,
            received=reason,
            fix=fix or "Start the server, or mend the host and the port in metadata.url.",
        )


class LockingBackend(Backend):
    """A store in a database server that has locks."""

    def lock(self, pipeline: str, holder: str) -> Lock:
        """The lock of a pipeline in this store, acquired.

        Args:
            pipeline: its name.
            holder: who will hold it, for others to see where the server can show it.

        Raises:
            StoreUnreachableError: this may pass by itself.
            RunError: somebody else holds it, or the server does not let us in.
        """
        with contextlib.ExitStack() as failed:
            lock = failed.enter_context(contextlib.closing(self.new_lock(pipeline, holder)))
            with self.session():
                if not lock.acquire():
                    raise self.taken(lock.holder())
            failed.pop_all()
            return lock

    @abstractmethod
    def new_lock(self, pipeline: str, holder: str) -> Lock:
        """The same, on a new connection and not yet acquired."""

    @abstractmethod
    def session(self) -> contextlib.AbstractContextManager[None]:
        """Makes a StoreUnreachableError of what the driver raises when a connection breaks that was there."""

    def refused_account(self, account: Account, received: object) -> RunError:
        """The error for a server that does not let this account in."""
        return RunError(
            "The metadata store refuses the user or the password.",
            where=self.place,
            received=received,
            fix=f"Check the user in metadata.url, and the password, which comes from {account.source}.",
        )

    def broken(self, reason: object) -> StoreUnreachableError:
        """The error for a connection that broke."""
        return self.unreachable(
            reason,
            fix="Keep the server up; a pooler before it must pool by session, and the server must have locks "
            "(see docs/metadata.md).",
        )
