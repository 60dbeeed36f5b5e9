"""What keeps Google Cloud Storage from being read, as errors that say how to mend it."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest

from schemas.errors import ReleaseError
from serving.object_store import gs_objects
from serving.object_store.bucket_folder import BucketFolder
from serving.object_store.gs_objects import GsObjects
from serving.object_store.object_store import File

FOLDER = BucketFolder("gs", "models", "half/7")
HALF = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nX-Goog-Stored-Content-Length: 100\r\n"
    b"X-Goog-Hash: crc32c=AAAAAA==,md5=AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\nhalf"
)


def test_a_file_that_is_cut_off_each_time_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            with listening.accept()[0] as connection:
                connection.recv(1 << 16)
                connection.sendall(HALF)

        thread = threading.Thread(target=answer)
        thread.start()
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{listening.getsockname()[1]}")
        monkeypatch.setitem(gs_objects._LIMITS, "retry", None)
        with pytest.raises(ReleaseError, match="Google Cloud Storage does not answer") as raised:
            GsObjects().download(FOLDER, File("saved_model.pb", 100, "1"), lambda piece: None)
        thread.join()
    assert raised.value.where == "gs://models/half/7/saved_model.pb"


def test_a_key_that_this_user_may_not_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = tmp_path / "key.json"
    key.mkdir()  # root may read any file
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", os.fspath(key))
    with pytest.raises(ReleaseError, match="(?s)credentials for Google Cloud Storage cannot be read.*key.json"):
        GsObjects()
