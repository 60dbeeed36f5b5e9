"""Why a database did not give its rows, in the words that all of them share."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from configs.account import Account
from configs.store_url import StoreUrl
from schemas.errors import DataError

_RECEIVED = 500


class Failure(enum.Enum):
    """What is wrong, and how to mend it."""

    UNREACHABLE = (
        "The database cannot be reached.",
        "Start the server, mend the host and the port in data.query.url, or the way to it.",
    )
    BUSY = ("The database lets nobody in now.", "Wait until it has started or has fewer connections, then run again.")
    ACCOUNT = ("The database refuses the user or the password.", "Check who logs in")
    TLS = (
        "TLS to the database failed.",
        "Check the parameters of TLS in data.query.url, such as sslmode or ssl_ca, and the files that they name.",
    )
    DATABASE = ("The database does not exist.", "Mend its name in data.query.url.")
    PERMISSION = (
        "The user may not read this.",
        "Grant SELECT on what the query reads, or let this machine in; a server that asks for TLS needs "
        "sslmode=require or ssl_ca=FILE in data.query.url.",
    )
    NAME = ("The query names something that is not there.", "Mend the table, column or function in data.query.")
    SYNTAX = (
        "The database does not understand the query.",
        "Mend data.query: one SELECT in the words of this database. A placeholder is a value already: no quotes, and "
        "no DATE in front of it.",
    )
    READ_ONLY = (
        "The query would change the database.",
        "Read only: its transaction may not write. Make what it needs beforehand.",
    )
    TIMEOUT = (
        "The query takes too long.",
        "Raise data.query.timeout_seconds or the server's own limit, or let the query read less: an index, a span.",
    )
    COSTLY = (
        "The query would be billed for more bytes than it may.",
        "Raise data.query.maximum_bytes_billed, or let the query read less: fewer columns, a partition.",
    )
    LOST = (
        "The connection to the database was lost while the query was read.",
        "Run again: nothing was kept. If it happens again, the server's log says why.",
    )
    TEXT = ("The database sends text that is not UTF-8.", "Convert the column in the query, or mend it there.")
    OTHER = ("The query failed.", "Mend the query, or the data that it reads.")


@dataclass(frozen=True)
class Place:
    """A database, for messages.

    Attributes:
        name: without secrets.
        source: who logs in and where the password comes from.
        secret: the password, which no message may show.
    """

    name: str
    source: str = ""
    secret: str = field(default="", repr=False)

    @classmethod
    def of(cls, url: StoreUrl, account: Account) -> Place:
        """The server at a URL."""
        hint = "" if account.password else "; it is empty"
        return cls(str(url), f"{account.user}, with the password from {account.source}{hint}", account.password)

    def error(self, failure: Failure, received: object) -> DataError:
        """The error.

        Args:
            failure: what is wrong.
            received: what the database, or its driver, said.
        """
        what, fix = failure.value
        if failure is Failure.ACCOUNT:
            fix += f": {self.source}. A user that TLS is asked of needs its parameters, too."
        told = str(received)
        if self.secret:  # first: a part of it, or one whose blanks have changed, would not be found any more
            told = told.replace(self.secret, "***")
        told = " ".join(told.split())[:_RECEIVED]
        return DataError(what, where=f"data.query, {self.name}", received=told, fix=fix)
