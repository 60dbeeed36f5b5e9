"""A private server of S3, on a port that was free."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.servers.port import free_port

boto3: Any = pytest.importorskip("boto3", reason="boto3, which reads S3, is not installed")
_SETTING_UP = 6
"""Requests that nobody need sign: those that make the users."""
_SECONDS = 60


@dataclass
class S3Server:
    """A server; one that checks signatures has a user who may do everything and one who may do nothing.

    Args:
        process: of the server.
        url: of it.
        keys: the access key and the secret of the first user.
        powerless: those of the second.
    """

    process: subprocess.Popen[bytes]
    url: str
    keys: tuple[str, str] = ("anybody", "s%c/r@t")
    powerless: tuple[str, str] = ("", "")

    @property
    def environ(self) -> dict[str, str]:
        """What boto3 needs to find it."""
        return self.environ_of(*self.keys)

    def environ_of(self, key: str, secret: str) -> dict[str, str]:
        """The same for another user."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    @property
    def client(self) -> Any:
        """A client of the first user."""
        return self._client("s3", *self.keys)

    def _client(self, service: str, key: str, secret: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            region_name="us-east-1",
        )

    def make_users(self) -> None:
        """Makes both users, with the requests that need no signature."""
        iam = self._client("iam", "none", "none")
        found = []
        for name in ("all", "nothing"):
            iam.create_user(UserName=name)
            key = iam.create_access_key(UserName=name)["AccessKey"]
            found.append((key["AccessKeyId"], key["SecretAccessKey"]))
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam.put_user_policy(UserName="all", PolicyName="all", PolicyDocument=json.dumps(policy))
        self.keys, self.powerless = found
        iam.list_users()  # the last that goes unsigned

    def put(self, bucket: str, files: dict[str, bytes]) -> None:
        """Makes a bucket with these files."""
        self.client.create_bucket(Bucket=bucket)
        for key, content in files.items():
            self.client.put_object(Bucket=bucket, Key=key, Body=content)

    def kill(self) -> None:
        """Ends the server at once."""
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def s3_server(folder: Path, *, signed: bool = False) -> Iterator[S3Server]:
    """A running server, or a skip where its package is not installed.

    Args:
        folder: for its log.
        signed: it checks signatures. It finds those of requests for parts of folders wrong, whoever makes them.
    """
    pytest.importorskip("moto", reason="moto, a server of S3, is not installed")
    port = free_port()
    environ = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(_SETTING_UP)} if signed else None
    with (folder / "s3.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            env=environ,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    server = S3Server(process, f"http://127.0.0.1:{port}")
    try:
        _wait(server, folder / "s3.log")
        if signed:
            server.make_users()
        yield server
    finally:
        process.kill()
        process.wait()


def _wait(server: S3Server, log: Path) -> None:
    end = time.monotonic() + _SECONDS
    while True:
        if server.process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"no server of S3: {log.read_text()[-2000:]}")
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{server.url}/moto-api/data.json", timeout=5).close()
            return
        time.sleep(0.1)
