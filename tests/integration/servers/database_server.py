"""What tests ask of a database server, and who may."""

from __future__ import annotations

from typing import Protocol

from tests.integration.servers.certificate import Certificate

PASSWORD = "s%c/r@t: 1"
PASSWORD_VARIABLE = "STF_TEST_STORE_PASSWORD"


class Server(Protocol):
    """A database server that can be ended and started again on the same data and port."""

    port: int
    tls: Certificate

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def create(self, database: str) -> str: ...

    def create_tls_user(self) -> str: ...

    def drop_connections(self, database: str) -> int: ...
