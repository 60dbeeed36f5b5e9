"""Files on HDFS, through WebHDFS, as the user of HADOOP_USER_NAME or else of this process.

A cluster with Kerberos is not read; mount it, or let a gateway serve it.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import hdfs
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from components.example_gen.remote_store import (
    CONNECT_SECONDS,
    READ_SECONDS,
    TRIES,
    Entry,
    fixed_part,
    select,
    unanswered,
    without_user,
)
from schemas.errors import DataStoreError

_PORT = 9870


class HdfsStore:
    """Reads `hdfs://NAMENODE:PORT/PATH`, where the port is that of its WebHDFS, 9870 if none is given."""

    def __init__(self) -> None:
        # The environment of whoever reads: a worker's where a worker does.
        self._user = os.environ.get("HADOOP_USER_NAME") or getpass.getuser()

    def entry(self, path: str) -> Entry | None:
        """A file; None where there is none of that name."""
        client, inside = self._parts(path)
        with _told(path):
            status = client.status(inside, strict=False)
        return None if status is None or status["type"] != "FILE" else _entry(path, status)

    def find(self, pattern: str) -> list[Entry]:
        """The files and folders that a glob matches, sorted by path."""
        folder = fixed_part(pattern).rpartition("/")[0]
        levels = None if "**" in pattern else pattern.count("/") - folder.count("/")
        with _told(pattern):
            return select(pattern, self._below(folder, levels))

    def read(self, entry: Entry, start: int, end: int) -> bytes:
        """Bytes of a file: all from `start` up to `end`, which is not beyond the file."""
        client, inside = self._parts(entry.path)
        with _told(entry.path):
            tried = 0
            while True:
                try:
                    with client.read(inside, offset=start, length=end - start) as reader:
                        data: bytes = reader.read()
                        return data
                except HTTPError:
                    tried += 1  # the session tries again only until an answer begins
                    if tried == TRIES:
                        raise

    def _below(self, folder: str, levels: int | None) -> Iterator[Entry]:
        client, inside = self._parts(folder)
        if client.status(inside, strict=False) is None:
            return
        for name, status in client.list(inside, status=True):
            entry = _entry(f"{folder}/{name}", status)
            yield entry
            if entry.size is None and levels != 1:
                yield from self._below(entry.path, None if levels is None else levels - 1)

    def _parts(self, path: str) -> tuple[Any, str]:
        host, _, inside = path.removeprefix("hdfs://").partition("/")
        if not host:
            raise DataStoreError(
                "A path of HDFS needs the host of its namenode.",
                where="data.path",
                received=path,
                fix=f"Write hdfs://NAMENODE:{_PORT}/PATH, with the port of WebHDFS.",
            )
        return _client(host if ":" in host else f"{host}:{_PORT}", self._user, os.getpid()), f"/{inside}"


@lru_cache
def _client(host: str, user: str, _process: int) -> Any:
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=Retry(TRIES - 1, backoff_factor=1, redirect=None)))
    return hdfs.InsecureClient(f"http://{host}", user=user, session=session, timeout=(CONNECT_SECONDS, READ_SECONDS))


def _entry(path: str, status: dict[str, Any]) -> Entry:
    if status["type"] != "FILE":
        return Entry(path, None)
    return Entry(path, status["length"], f"{status.get('fileId')} {status['modificationTime']}")


@contextmanager
def _told(path: str) -> Iterator[None]:
    """What the client raises, as errors that say how to mend it."""
    try:
        yield
    except hdfs.HdfsError as error:
        raise DataStoreError(
            "HDFS refuses to give the data.",
            where=path,
            received=without_user(str(error).splitlines()[0] if str(error) else repr(error)),
            fix="Check data.path, and HADOOP_USER_NAME, who must be allowed to read it.",
        ) from error
    except (requests.RequestException, HTTPError) as error:
        raise unanswered(path, error, f"Check the host and the port, which is that of WebHDFS ({_PORT}).") from error
