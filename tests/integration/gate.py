"""A way to a server on which a request stays half sent for as long as a test likes."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Gate:
    """Passes one connection on.

    Attributes:
        port: to connect to.
        most: bytes that go to the server before it is opened.
        reached: set when those are there.
        opened: what lets the rest pass.
    """

    port: int
    most: int
    reached: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)


@contextlib.contextmanager
def gate(port: int, most: int) -> Iterator[Gate]:
    """A gate in front of a port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listening, contextlib.ExitStack() as stack:
        found = Gate(listening.getsockname()[1], most)
        ends: list[socket.socket] = []

        def answers() -> None:
            with contextlib.suppress(OSError):
                while data := ends[1].recv(1 << 16):
                    ends[0].sendall(data)
            _close(ends)

        def requests() -> None:
            ends.append(stack.enter_context(listening.accept()[0]))
            ends.append(stack.enter_context(socket.create_connection(("127.0.0.1", port))))
            back = threading.Thread(target=answers)
            back.start()
            left = most
            with contextlib.suppress(OSError):
                while data := ends[0].recv(min(left, 1 << 16) if left else 1 << 16):
                    ends[1].sendall(data)
                    left -= min(left, len(data))
                    if not left and not found.reached.is_set():
                        found.reached.set()
                        found.opened.wait()
            _close(ends)
            back.join()

        thread = threading.Thread(target=requests)
        thread.start()
        try:
            yield found
        finally:
            found.opened.set()
            _close(ends)
            thread.join()


def _close(ends: list[socket.socket]) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
