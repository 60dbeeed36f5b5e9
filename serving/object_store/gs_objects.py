"""Models on Google Cloud Storage, with the credentials that Google's libraries find."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import requests
import urllib3
from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError, TransportError
from google.cloud import storage
from google.cloud.storage.retry import DEFAULT_RETRY
from google.resumable_media import DataCorruption, InvalidResponse
from requests.adapters import HTTPAdapter

from serving.object_store.bucket_folder import BucketFolder
from serving.object_store.object_store import (
    CONNECT_SECONDS,
    PARALLEL,
    READ_SECONDS,
    File,
    Listing,
    refusal,
)

_LIMITS: dict[str, Any] = {
    "timeout": (CONNECT_SECONDS, READ_SECONDS),
    "retry": DEFAULT_RETRY.with_timeout(CONNECT_SECONDS),
}
_KEYS = (
    "Set GOOGLE_APPLICATION_CREDENTIALS to a key file where the server runs, or give the machine or the pod a service "
    "account."
)
# What is cut off in the midst of a file comes as the lower libraries say it.
_CUT = (ConnectionError, urllib3.exceptions.HTTPError)


class GsObjects:
    """Reads `gs://BUCKET/OBJECT`.

    Raises:
        ReleaseError: there are no credentials.
    """

    def __init__(self) -> None:
        try:
            with _told("gs://"):
                self._client = storage.Client(project="unused")  # buckets are named without one
        except OSError as error:
            what = "The file with the credentials for Google Cloud Storage cannot be read."
            raise refusal(what, "gs://", error, f"Let this user read it. {_KEYS}") from error
        self._client._http.mount("https://", HTTPAdapter(pool_connections=PARALLEL, pool_maxsize=PARALLEL))

    def look(self, folder: BucketFolder) -> Listing:
        """What is directly in a folder."""
        start = len(folder.prefix)
        with _told(str(folder)):
            blobs = self._client.list_blobs(folder.bucket, prefix=folder.prefix, delimiter="/", **_LIMITS)
            files = [_file(blob, start) for blob in blobs]
            folders = sorted(each[start:-1] for each in blobs.prefixes)
        return Listing(tuple(folders), {file.name: file for file in files})

    def files(self, folder: BucketFolder) -> tuple[File, ...]:
        """All objects in a folder and in those in it, by name."""
        start = len(folder.prefix)
        with _told(str(folder)):
            blobs = self._client.list_blobs(folder.bucket, prefix=folder.prefix, **_LIMITS)
            found = [_file(blob, start) for blob in blobs]
        return tuple(sorted(file for file in found if file.name and not file.name.endswith("/")))

    def get(self, folder: BucketFolder, name: str) -> bytes | None:
        """A small object; None where there is none of that name."""
        with _told(f"{folder}/{name}"):
            blob = self._client.bucket(folder.bucket).blob(folder.prefix + name)
            try:
                content: bytes = blob.download_as_bytes(raw_download=True, **_LIMITS)
            except exceptions.NotFound:
                return None
        return content

    def download(self, folder: BucketFolder, file: File, write: Callable[[bytes], None]) -> None:
        """Hands the object of that tag on, piece by piece."""
        # As one request, of which the library compares the checksum, and which it takes up again where it was cut off.
        blob = self._client.bucket(folder.bucket).blob(folder.prefix + file.name, generation=int(file.tag))
        with _told(f"{folder}/{file.name}"):
            blob.download_to_file(cast("Any", _Written(write)), raw_download=True, **_LIMITS)


class _Written:
    """As much of a file as downloads ask for."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write

    def write(self, piece: bytes) -> int:
        self._write(piece)
        return len(piece)


def _file(blob: storage.Blob, start: int) -> File:
    return File(blob.name[start:], blob.size, str(blob.generation))


@contextmanager
def _told(where: str) -> Iterator[None]:
    """What Google's libraries raise, as errors that say how to mend it."""
    try:
        yield
    except TransportError as error:
        raise refusal("Google's credentials cannot be renewed.", where, error, "Check the network.") from error
    except GoogleAuthError as error:
        what = "There are no credentials for Google Cloud Storage, or they are not accepted."
        raise refusal(what, where, error, _KEYS) from error
    except exceptions.NotFound as error:
        raise refusal("There is no such bucket, or the file is gone.", where, error, "Check the address.") from error
    except (exceptions.Unauthorized, exceptions.Forbidden) as error:
        what = "Google Cloud Storage does not let these credentials read the model."
        allow = "Allow the account storage.objects.list and storage.objects.get of the bucket."
        raise refusal(what, where, error, f"{allow} {_KEYS}") from error
    except exceptions.ClientError as error:
        raise refusal("Google Cloud Storage refuses to give the model.", where, error, "See what it says.") from error
    except (exceptions.GoogleAPIError, requests.RequestException, InvalidResponse, DataCorruption, *_CUT) as error:
        raise refusal("Google Cloud Storage does not answer.", where, error, "Check the network.") from error
