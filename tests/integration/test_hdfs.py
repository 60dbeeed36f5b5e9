"""Data on HDFS: answers that break off, of a server that speaks as much WebHDFS as reading a file needs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from components.example_gen import remote_store
from components.example_gen.data_files import open_data
from components.example_gen.fingerprint import fingerprint
from components.example_gen.unchanged import unchanged
from schemas.errors import DataError

CONTENT = bytes(range(256)) * 1000


@dataclass
class Namenode:
    """A server with one file.

    Args:
        broken: answers with its bytes that will break off in the middle.
        telling: whether answers begin with their length.
        modified: the time of the last change to the file.
        asked: where each of those answers began.
    """

    port: int = 0
    broken: int = 0
    telling: bool = True
    modified: int = 1
    asked: list[int] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"hdfs://127.0.0.1:{self.port}/rows.csv"


@pytest.fixture
def namenode(monkeypatch: pytest.MonkeyPatch) -> Iterator[Namenode]:
    state = Namenode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            self.send_response(200)
            if query["op"] == "GETFILESTATUS":
                status = {"type": "FILE", "length": len(CONTENT), "modificationTime": state.modified, "fileId": 2}
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps({"FileStatus": status}).encode())
                return
            start = int(query["offset"])
            state.asked.append(start)
            data = CONTENT[start : start + int(query["length"])]
            if state.telling:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if len(state.asked) <= state.broken else data)

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    remote_store._store.cache_clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield state
        server.shutdown()
        thread.join()
    remote_store._store.cache_clear()


def test_an_answer_that_breaks_off_is_asked_for_again(namenode: Namenode) -> None:
    namenode.broken = 2
    with open_data(namenode.path) as file:
        file.seek(300)
        assert file.read() == CONTENT[300:]
    assert namenode.asked == [300, 300, 300]


def test_answers_that_all_break_off_are_told(namenode: Namenode) -> None:
    namenode.broken = 100
    with (
        open_data(namenode.path) as file,
        pytest.raises(DataError, match=r"(?s)does not answer.*/rows.csv.*IncompleteRead"),
    ):
        file.read()
    assert namenode.asked == [0] * 4


def test_a_short_answer_is_not_the_end_of_the_file(namenode: Namenode) -> None:
    namenode.broken, namenode.telling = 1, False
    with open_data(namenode.path) as file, pytest.raises(DataError, match="128000 instead of 256000 bytes from byte 0"):
        file.read()


def test_a_file_that_is_replaced_while_it_is_read_is_told_at_the_end(namenode: Namenode) -> None:
    files = [namenode.path]
    with (
        pytest.raises(DataError, match=r"(?s)changed while it was read.*/rows.csv.*other content"),
        unchanged(files, fingerprint(files)),
    ):
        namenode.modified = 2
