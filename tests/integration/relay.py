"""A way to a server that goes silent: connections stay, and nothing comes any more."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def relay(port: int, most: int) -> Iterator[int]:
    """Passes one connection on, both ways.

    Args:
        port: of the server, on this machine.
        most: bytes that come from the server; then neither side hears of the other.

    Yields:
        The port to connect to.
    """
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_pass_on, args=(listening, port, most, done))
        thread.start()
        try:
            yield int(listening.getsockname()[1])
        finally:
            done.set()
            thread.join()


def _pass_on(listening: socket.socket, port: int, most: int, done: threading.Event) -> None:
    with listening.accept()[0] as client, socket.create_connection(("127.0.0.1", port)) as server:
        # Either side may hang up before that.
        with contextlib.suppress(OSError), selectors.DefaultSelector() as either:
            either.register(client, selectors.EVENT_READ, server)
            either.register(server, selectors.EVENT_READ, client)
            while most > 0:
                for key, _ in either.select():
                    data = key.fileobj.recv(1 << 16)  # type: ignore[union-attr]
                    if not data:
                        return
                    key.data.sendall(data)
                    most -= len(data) if key.fileobj is server else 0
        done.wait()
