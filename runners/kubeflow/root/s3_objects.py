"""A shared pipeline root on S3 and on servers that speak as S3 does, such as MinIO."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
    ResponseStreamingError,
)

from components.example_gen.remote_store import CONNECT_SECONDS, READ_SECONDS, TRIES, bucket_and_name
from runners.kubeflow.root.object_store import CHUNK_BYTES, Stat, refusal
from runners.kubeflow.root.object_store import NoCredentialsError as NothingToLogInWithError
from runners.kubeflow.root.transfers import PARALLEL

_Read = TypeVar("_Read")
_ABSENT = ("404", "NoSuchKey", "NotFound")
_THERE = ("409", "412", "PreconditionFailed", "ConditionalRequestConflict")
_OTHER = (*_ABSENT, "Not Found", *_THERE, "412 Precondition Failed")
"""Of an object that was to be deleted by its ETag; in lists of what was not deleted Amazon spells some otherwise."""
_WRONG_KEYS = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired")
_DELETED_AT_ONCE = 1000
_KEYS = (
    "Give the tasks keys by kubeflow.environment_secrets (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), or their service "
    "account a role, whose keys are renewed while a task is at work; never write them into settings."
)
_FIX = (
    "Check kubeflow.root, AWS_ENDPOINT_URL and AWS_REGION, and that the keys or the role of the tasks may "
    "s3:ListBucket, s3:GetObject, s3:PutObject and s3:DeleteObject there."
)


class S3Objects:
    """Objects below `s3://BUCKET/FOLDER`.

    Raises:
        RunError: boto3 cannot be set up.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._bucket, folder = bucket_and_name(url)
        self._folder = f"{folder}/" if folder else ""
        # A file is sent by one thread: several files are sent at a time.
        self._transfer = TransferConfig(
            multipart_threshold=CHUNK_BYTES, multipart_chunksize=CHUNK_BYTES, use_threads=False
        )
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": TRIES},
            max_pool_connections=PARALLEL,
        )
        with self._told(""):
            self._client = boto3.session.Session().client("s3", config=config)

    def list(self, prefix: str) -> dict[str, Stat]:
        """The objects whose names begin with a prefix."""
        found = {}
        with self._told(prefix):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._folder + prefix):
                for each in page.get("Contents", ()):
                    stat = Stat(each["Size"], each["ETag"], each["LastModified"].timestamp())
                    found[each["Key"][len(self._folder) :]] = stat
        return found

    def get(self, name: str) -> bytes | None:
        """A small object; None where there is none of that name."""
        with self._told(name):
            try:
                return self._read(name, lambda body: bytes(body.read()))
            except ClientError as error:
                if _code(error) not in _ABSENT:
                    raise
                return None

    def put(self, name: str, content: bytes, *, new: bool = False) -> bool:
        """Writes a small object; with `new` only where there is none of that name. Whether it was written."""
        condition = {"IfNoneMatch": "*"} if new else {}
        with self._told(name):
            try:
                self._client.put_object(Bucket=self._bucket, Key=self._folder + name, Body=content, **condition)
            except ClientError as error:
                if not new or _code(error) not in _THERE:
                    raise
                return False
        return True

    def download(self, name: str, tag: str, file: Path) -> None:
        """Writes the object of that tag to a file, in pieces."""

        def write(body: Any) -> None:
            with file.open("wb") as written:
                for piece in body.iter_chunks(CHUNK_BYTES):
                    written.write(piece)

        with self._told(name):
            self._read(name, write, IfMatch=tag)

    def upload(self, file: Path, name: str) -> None:
        """Writes a file to an object, in pieces."""
        with self._told(name):
            self._client.upload_file(str(file), self._bucket, self._folder + name, Config=self._transfer)

    def delete(self, names: Iterable[str]) -> None:
        """Deletes objects; those that are not there are passed over."""
        self._delete([{"Key": self._folder + name} for name in names])

    def delete_same(self, objects: Mapping[str, Stat]) -> None:
        """Deletes objects of these ETags, where the server compares them; others or none are passed over."""
        self._delete([{"Key": self._folder + name, "ETag": stat.tag} for name, stat in objects.items()])

    def _delete(self, keys: Sequence[Mapping[str, str]]) -> None:
        for start in range(0, len(keys), _DELETED_AT_ONCE):
            some = keys[start : start + _DELETED_AT_ONCE]
            with self._told(some[0]["Key"]):
                answer = self._client.delete_objects(Bucket=self._bucket, Delete={"Objects": some, "Quiet": True})
                for failed in answer.get("Errors", ()):
                    if "ETag" in some[0] and failed["Code"] in _OTHER:
                        continue
                    raise ClientError({"Error": failed}, "DeleteObjects")

    def _read(self, name: str, read: Callable[[Any], _Read], **condition: str) -> _Read:
        tried = 0
        while True:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._folder + name, **condition)
            try:
                return read(answer["Body"])
            except (HTTPClientError, IncompleteReadError, ResponseStreamingError):
                tried += 1  # boto3 tries again only until an answer begins
                if tried == TRIES:
                    raise

    @contextmanager
    def _told(self, name: str) -> Iterator[None]:
        """What boto3 raises, as errors that say how to mend it."""
        where = f"{self._url}/{name}"
        try:
            yield
        except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError) as error:
            raise NothingToLogInWithError(
                "There are no credentials for the shared pipeline root.", where=where, received=str(error), fix=_KEYS
            ) from error
        except (BotoCoreError, Boto3Error, ClientError, ValueError) as error:
            # An upload's error stands for that of one of its requests.
            answered = error if isinstance(error, ClientError) else error.__context__
            wrong = isinstance(answered, ClientError) and _code(answered) in _WRONG_KEYS
            raise refusal(where, error, _KEYS if wrong else _FIX) from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
