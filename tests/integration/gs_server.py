"""fake-gcs-server, which answers as Google Cloud Storage does, where it is on the path (a Go program of that name)."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.servers.port import free_port

_SECONDS = 30


@contextlib.contextmanager
def gs_server(folder: Path) -> Iterator[str]:
    """A running server, or a skip where there is none; its URL, which is for STORAGE_EMULATOR_HOST."""
    binary = shutil.which("fake-gcs-server")
    if binary is None:
        pytest.skip("fake-gcs-server is not on the path")
    port, log = free_port(), folder / "log"
    address = f"127.0.0.1:{port}"
    command = [binary, "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory"]
    with log.open("wb") as file:
        process = subprocess.Popen([*command, "-public-host", address], stdout=file, stderr=subprocess.STDOUT)
        try:
            _wait(f"http://{address}/storage/v1/b", log)
            yield f"http://{address}"
        finally:
            process.kill()
            process.wait()


def _wait(url: str, log: Path) -> None:
    end = time.monotonic() + _SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError as error:
            if time.monotonic() > end:
                raise RuntimeError(f"no server: {log.read_text()[-2000:]}") from error
            time.sleep(0.1)
