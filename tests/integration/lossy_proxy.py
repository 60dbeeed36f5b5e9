"""A proxy in front of a database that cuts connections off at COMMIT: `python lossy_proxy.py PORT SEED`.

Of the COMMITs of ML Metadata, which are sent as plain text, one in eight is lost: in turn the request, so that the
database rolls back, and the answer, so that it has committed and the client does not know. It prints its port, and
then a line for each that was lost. It is a process of its own because ML Metadata's library stops the interpreter
while it waits.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import socket
import sys
import threading
from collections.abc import Iterator

ONE_IN = 1 / 8


def main(port: int, seed: int) -> None:
    lost, chance = itertools.cycle(["request", "answer"]), random.Random(seed)
    with socket.create_server(("127.0.0.1", 0)) as server:
        _say(str(server.getsockname()[1]))
        while True:
            client, _ = server.accept()
            database = socket.create_connection(("127.0.0.1", port))
            for end in (client, database):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            lose_answer = threading.Event()
            threading.Thread(target=_requests, args=(client, database, lose_answer, lost, chance), daemon=True).start()
            threading.Thread(target=_answers, args=(client, database, lose_answer), daemon=True).start()


def _requests(
    client: socket.socket,
    database: socket.socket,
    lose_answer: threading.Event,
    lost: Iterator[str],
    chance: random.Random,
) -> None:
    with contextlib.suppress(OSError):
        while data := client.recv(1 << 16):
            if b"COMMIT" in data and chance.random() < ONE_IN:
                if next(lost) == "request":
                    _say("request")
                    break
                lose_answer.set()
            database.sendall(data)
    _close(client, database)


def _answers(client: socket.socket, database: socket.socket, lose_answer: threading.Event) -> None:
    with contextlib.suppress(OSError):
        while data := database.recv(1 << 16):
            if lose_answer.is_set():
                _say("answer")
                break
            client.sendall(data)
    _close(client, database)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _close(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
