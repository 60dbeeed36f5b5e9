"""What clients have not taken, as Linux counts it."""

from __future__ import annotations

import socket

import pytest

from serving.server.unsent_bytes import unsent_bytes


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_what_the_client_does_not_read_is_counted_until_it_does(family: socket.AddressFamily, host: str) -> None:
    with socket.create_server((host, 0), family=family) as listening, socket.socket(family) as client:
        port = listening.getsockname()[1]
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 10)
        client.connect((host, port))
        assert unsent_bytes(port) == 0
        with listening.accept()[0] as server:
            server.setblocking(False)
            sent = server.send(bytes(4 << 20))
            taken = 0
            while taken < sent // 2:
                assert unsent_bytes(port) > 0
                taken += len(client.recv(1 << 20))
            while taken < sent:
                taken += len(client.recv(1 << 20))
            while unsent_bytes(port):  # what has been read is acknowledged soon
                pass


def test_other_ports_do_not_count() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as full,
        socket.create_server(("127.0.0.1", 0)) as other,
        socket.create_connection(full.getsockname()),
        full.accept()[0] as server,
    ):
        server.setblocking(False)
        server.send(bytes(16 << 20))
        assert unsent_bytes(full.getsockname()[1]) > 0
        assert unsent_bytes(other.getsockname()[1]) == 0
