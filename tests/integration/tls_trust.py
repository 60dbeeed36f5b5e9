"""Who trusts whom, for tests of servers with TLS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from serving.client.client_tls import ClientTls
from tests.certificates import Authority, ssl_config


@dataclass
class Trust:
    """Who signs whom: one authority for the server, and another one for its clients.

    Attributes:
        config: of the server.
        files: options of commands: whom they trust, and what they show.
    """

    folder: Path

    def __post_init__(self) -> None:
        self.servers, self.clients = Authority("servers"), Authority("clients")
        self.server = self.servers.sign("server")
        self.config, self.ca = self.folder / "ssl.config", self.folder / "ca.pem"
        self.config.write_text(ssl_config(self.server, self.clients))
        self.ca.write_text(self.servers.certificate)
        self.shown = self.clients.sign("client").write(self.folder / "client")
        self.files = [f"--tls-ca={self.ca}", f"--tls-cert={self.shown[0]}", f"--tls-key={self.shown[1]}"]
        self.tls = ClientTls(self.ca, *self.shown)
