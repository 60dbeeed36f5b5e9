from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from distribution.cluster import Cluster, Task
from distribution.horovod_rendezvous import meet
from schemas.errors import TrainingError


@contextmanager
def rendezvous() -> Iterator[dict[str, str]]:
    """Keeps what is PUT, as horovodrun's server does; gives the variables that tell where it is."""
    kept: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            kept[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(200)

        def do_GET(self) -> None:
            self.answer(200 if self.path in kept else 404, kept.get(self.path, b""))

        def answer(self, status: int, body: bytes = b"") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            port = str(server.server_address[1])
            yield {"HOROVOD_GLOO_RENDEZVOUS_ADDR": "127.0.0.1", "HOROVOD_GLOO_RENDEZVOUS_PORT": port}
        finally:
            server.shutdown()
            thread.join()


def process(rank: int, where: dict[str, str], host: str) -> dict[str, str]:
    return {"HOROVOD_RANK": str(rank), "HOROVOD_SIZE": "2", "HOROVOD_HOSTNAME": host, **where}


def test_two_processes_learn_each_others_addresses() -> None:
    with rendezvous() as where, ThreadPoolExecutor() as threads:
        found = list(threads.map(lambda one: meet(one, 30), [process(0, where, "a"), process(1, where, "b")]))
    (cluster, first), (other_cluster, second) = found
    assert (first, second) == (Task("worker", 0), Task("worker", 1))
    assert cluster == other_cluster
    assert isinstance(cluster, Cluster)
    assert [cluster.address(task).partition(":")[0] for task in cluster.tasks] == ["a", "b"]


def test_a_process_that_does_not_come_is_named() -> None:
    with rendezvous() as where, pytest.raises(TrainingError) as caught:
        meet(process(1, where, "b"), 0)
    assert caught.value.what == "1 of the 2 processes of the horovodrun have not come."
    assert caught.value.received == "nothing of rank 0 within 0 s"


def test_a_rendezvous_that_is_gone() -> None:
    with rendezvous() as where:
        pass
    with pytest.raises(TrainingError, match="horovodrun's rendezvous does not answer"):
        meet(process(0, where, "a"), 0)
