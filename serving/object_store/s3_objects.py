"""Models on S3 and on servers that speak as S3 does, such as MinIO.

Credentials, region and endpoint are what boto3 finds: environment, profile, the role of the machine or the pod.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
from botocore.exceptions import ConnectionError as BotoConnectionError

from serving.object_store.bucket_folder import BucketFolder
from serving.object_store.object_store import (
    CHUNK_BYTES,
    CONNECT_SECONDS,
    PARALLEL,
    READ_SECONDS,
    TRIES,
    File,
    Listing,
    refusal,
)

_ABSENT = ("404", "NoSuchKey", "NotFound")
_REFUSED = ("AccessDenied", "403", "AllAccessDisabled")
_WRONG_KEYS = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired")
_ELSEWHERE = ("301", "400", "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraint")
_KEYS = (
    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, where the server runs, or give the machine or "
    "the pod a role."
)
_SERVER = "Check the network, and AWS_ENDPOINT_URL if the server is not Amazon's."
_CUT = (HTTPClientError, IncompleteReadError, ResponseStreamingError)


class S3Objects:
    """Reads `s3://BUCKET/KEY`.

    Raises:
        ReleaseError: boto3 cannot be set up.
    """

    def __init__(self) -> None:
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": TRIES},
            max_pool_connections=PARALLEL + 1,
        )
        try:
            self._client = boto3.session.Session().client("s3", config=config)
        except (BotoCoreError, ValueError) as error:
            what, where = "The client of S3 cannot be set up.", "the environment and the profile of boto3"
            raise refusal(what, where, error, f"Mend what it names. {_SERVER}") from error

    def look(self, folder: BucketFolder) -> Listing:
        """What is directly in a folder."""
        folders, files, start = [], {}, len(folder.prefix)
        with _told(str(folder)):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=folder.bucket, Prefix=folder.prefix, Delimiter="/"):
                folders += [each["Prefix"][start:-1] for each in page.get("CommonPrefixes", ())]
                for each in page.get("Contents", ()):
                    name = each["Key"][start:]
                    files[name] = File(name, each["Size"], each["ETag"])
        return Listing(tuple(folders), files)

    def files(self, folder: BucketFolder) -> tuple[File, ...]:
        """All objects in a folder and in those in it, by name."""
        found, start = [], len(folder.prefix)
        with _told(str(folder)):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=folder.bucket, Prefix=folder.prefix):
                found += [File(each["Key"][start:], each["Size"], each["ETag"]) for each in page.get("Contents", ())]
        return tuple(sorted(file for file in found if file.name and not file.name.endswith("/")))

    def get(self, folder: BucketFolder, name: str) -> bytes | None:
        """A small object; None where there is none of that name."""
        with _told(f"{folder}/{name}"):
            try:
                content: bytes = self._client.get_object(Bucket=folder.bucket, Key=folder.prefix + name)["Body"].read()
            except ClientError as error:
                if _code(error) not in _ABSENT:
                    raise
                return None
        return content

    def download(self, folder: BucketFolder, file: File, write: Callable[[bytes], None]) -> None:
        """Hands the object of that tag on, piece by piece."""
        done = tried = 0
        with _told(f"{folder}/{file.name}"):
            while done < file.size:
                part = {"Range": f"bytes={done}-"} if done else {}
                answer = self._client.get_object(
                    Bucket=folder.bucket, Key=folder.prefix + file.name, IfMatch=file.tag, **part
                )
                try:
                    for piece in answer["Body"].iter_chunks(CHUNK_BYTES):
                        write(piece)
                        done += len(piece)
                except _CUT:
                    tried += 1  # boto3 tries again only until an answer begins
                    if tried > TRIES:
                        raise


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def _told(where: str) -> Iterator[None]:
    """What boto3 raises, as errors that say how to mend it."""
    try:
        yield
    except ClientError as error:
        what, fix = _refused(_code(error))
        raise refusal(what, where, error, fix) from error
    except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError) as error:
        raise refusal("There are no credentials for S3.", where, error, _KEYS) from error
    except (BotoConnectionError, *_CUT) as error:
        raise refusal("S3 does not answer.", where, error, _SERVER) from error
    except BotoCoreError as error:
        what = "S3 cannot be asked for the model."
        raise refusal(what, where, error, "Check the address, and the profile that boto3 finds.") from error


def _refused(code: str) -> tuple[str, str]:
    if code == "NoSuchBucket":
        return "There is no such bucket.", f"Check its name. {_SERVER}"
    if code in (*_ABSENT, "412", "PreconditionFailed"):
        return "The file was replaced or deleted while it was copied.", "It is copied again by itself."
    if code in _REFUSED:
        allow = "Allow these credentials s3:ListBucket of the bucket and s3:GetObject of its objects, or use others."
        return "S3 does not let these credentials read the model.", f"{allow} {_KEYS}"
    if code in _WRONG_KEYS:
        return "S3 does not accept the credentials.", _KEYS
    if code in _ELSEWHERE:
        return "S3 has the bucket elsewhere, or wants another request.", f"Set AWS_REGION to its region. {_SERVER}"
    return "S3 refuses to give the model.", f"{_SERVER} See what it says."
