"""Files on S3 and on servers that speak as S3 does, such as MinIO.

Credentials, region and endpoint are what boto3 finds: environment, profile, the role of the machine or the pod.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
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
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)

from components.example_gen.remote_store import (
    CONNECT_SECONDS,
    READ_SECONDS,
    TRIES,
    Entry,
    bucket_and_name,
    fixed_part,
    select,
    unanswered,
    without_user,
)
from schemas.errors import DataStoreError

_KEYS = (
    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, wherever nodes run, or give the machine a role; "
    "never write them into settings."
)
_SERVER = "Check the network, and AWS_ENDPOINT_URL if the server is not Amazon's."
_REFUSED = ("AccessDenied", "403", "AllAccessDisabled")
_WRONG_KEYS = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired")
_ABSENT = ("404", "NoSuchKey", "NotFound")


class S3Store:
    """Reads `s3://BUCKET/KEY`.

    Raises:
        DataStoreError: boto3 cannot be set up.
    """

    def __init__(self) -> None:
        retries = {"mode": "standard", "total_max_attempts": TRIES}
        config = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries=retries)
        try:
            self._client = boto3.session.Session().client("s3", config=config)
        except (BotoCoreError, ValueError) as error:
            raise DataStoreError(
                "The client of S3 cannot be set up.",
                where="the environment and profile of boto3",
                received=without_user(str(error)),
                fix=f"Mend what it names. {_SERVER}",
            ) from error

    def entry(self, path: str) -> Entry | None:
        """A file; None where there is none of that name."""
        bucket, key = bucket_and_name(path)
        if not key:
            return None
        with _told(path):
            try:
                head = self._client.head_object(Bucket=bucket, Key=key)
                return Entry(path, head["ContentLength"], head["ETag"])
            except ClientError as error:
                if _code(error) not in (*_ABSENT, "400", "403"):
                    raise
                # An answer to HEAD has no text that says whether it is the bucket, the key or who asks.
                self._client.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
                if _code(error) not in _ABSENT:
                    raise
        return None

    def find(self, pattern: str) -> list[Entry]:
        """The files and folders that a glob matches, sorted by path."""
        fixed = fixed_part(pattern)
        bucket, prefix = bucket_and_name(fixed)
        rest = pattern[len(fixed) :]
        # Of a folder's files those in its folders need not be listed.
        options = {} if "/" in rest or "**" in rest else {"Delimiter": "/"}
        entries: list[Entry] = []
        with _told(pattern):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, **options):
                entries += [
                    Entry(f"s3://{bucket}/{each['Key']}", each["Size"], each["ETag"])
                    for each in page.get("Contents", ())
                ]
                entries += [Entry(f"s3://{bucket}/{each['Prefix']}", None) for each in page.get("CommonPrefixes", ())]
        return select(pattern, entries)

    def read(self, entry: Entry, start: int, end: int) -> bytes:
        """Bytes of a file: all from `start` up to `end`, which is not beyond the file."""
        bucket, key = bucket_and_name(entry.path)
        with _told(entry.path):
            tried = 0
            while True:
                part = f"bytes={start}-{end - 1}"
                answer = self._client.get_object(Bucket=bucket, Key=key, Range=part, IfMatch=entry.tag)
                try:
                    data: bytes = answer["Body"].read()
                    return data
                except (HTTPClientError, IncompleteReadError, ResponseStreamingError):
                    tried += 1  # boto3 tries again only until an answer begins
                    if tried == TRIES:
                        raise


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def _told(path: str) -> Iterator[None]:
    """What boto3 raises, as errors that say how to mend it."""
    try:
        yield
    except ClientError as error:
        raise _refusal(path, error) from error
    except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError) as error:
        raise DataStoreError("There are no credentials for S3.", where=path, received=str(error), fix=_KEYS) from error
    except (BotoConnectionError, HTTPClientError, IncompleteReadError, ResponseStreamingError) as error:
        raise unanswered(path, error, f"{_SERVER} It was tried {TRIES} times.") from error
    except BotoCoreError as error:
        raise DataStoreError(
            "S3 cannot be asked for the data.",
            where=path,
            received=without_user(str(error)),
            fix="Check data.path, and the credentials and the profile that boto3 finds.",
        ) from error


def _refusal(path: str, error: ClientError) -> DataStoreError:
    code = _code(error)
    what, fix = "S3 refuses to give the data.", f"{_SERVER} See what it says."
    if code == "NoSuchBucket":
        what, fix = "There is no such bucket.", f"Check data.path. {_SERVER}"
    elif code in _ABSENT:
        what, fix = "The file is gone.", "Run again when the files are complete."
    elif code in ("412", "PreconditionFailed"):
        what, fix = "The data changed while it was read.", "Run again when the files are complete."
    elif code in _REFUSED:
        what = "S3 does not let these credentials read the data."
        fix = f"Allow them s3:ListBucket of the bucket and s3:GetObject of its objects, or use others. {_KEYS}"
    elif code in _WRONG_KEYS:
        what, fix = "S3 does not accept the credentials.", _KEYS
    elif code in ("301", "400", "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraint"):
        what, fix = "S3 has the bucket elsewhere, or wants another request.", f"Set AWS_REGION to its region. {_SERVER}"
    return DataStoreError(what, where=path, received=without_user(str(error)), fix=fix)
