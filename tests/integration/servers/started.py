"""Servers that run until the end of a `with`, in a folder that goes with them."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, TypeVar

from tests.integration.servers.account import Account


class Startable(Protocol):
    """What can be started and ended."""

    def start(self) -> None: ...

    def stop(self) -> object: ...


Started = TypeVar("Started", bound=Startable)


@contextlib.contextmanager
def started(server: Started) -> Iterator[Started]:
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def folder_of(account: Account) -> Iterator[Path]:
    # Not pytest's: the path of a socket is short, and the account has no access to the folders of root.
    with tempfile.TemporaryDirectory(prefix="stf-", dir="/tmp") as name:
        folder = Path(name)
        account.owns(folder)
        yield folder
