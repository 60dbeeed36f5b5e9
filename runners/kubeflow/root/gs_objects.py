"""A shared pipeline root on Google Cloud Storage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import requests
from google.api_core import exceptions
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
from google.cloud import storage
from google.cloud.storage.retry import DEFAULT_RETRY
from google.resumable_media import DataCorruption, InvalidResponse
from requests.adapters import HTTPAdapter

from components.example_gen.remote_store import CONNECT_SECONDS, READ_SECONDS, TRIES, bucket_and_name
from runners.kubeflow.root.object_store import CHUNK_BYTES, NoCredentialsError, Stat, refusal
from runners.kubeflow.root.transfers import PARALLEL, transfer_all

_LIMITS = {"timeout": (CONNECT_SECONDS, READ_SECONDS), "retry": DEFAULT_RETRY.with_timeout(READ_SECONDS * TRIES)}
_KEYS = (
    "Give the tasks a service account, by workload identity or by GOOGLE_APPLICATION_CREDENTIALS; never write keys "
    "into settings."
)
_FIX = "Check kubeflow.root, and that the service account of the tasks has the role Storage Object User of the bucket."


class GsObjects:
    """Objects below `gs://BUCKET/FOLDER`.

    Raises:
        RunError: there are no credentials.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        bucket, folder = bucket_and_name(url)
        self._folder = f"{folder}/" if folder else ""
        with self._told(""):
            self._client = storage.Client(project="unused")  # buckets are named without one
        self._client._http.mount("https://", HTTPAdapter(pool_connections=PARALLEL, pool_maxsize=PARALLEL))
        self._bucket = self._client.bucket(bucket)

    def list(self, prefix: str) -> dict[str, Stat]:
        """The objects whose names begin with a prefix."""
        with self._told(prefix):
            blobs = self._client.list_blobs(self._bucket, prefix=self._folder + prefix, **_LIMITS)
            return {blob.name[len(self._folder) :]: _stat(blob) for blob in blobs}

    def get(self, name: str) -> bytes | None:
        """A small object; None where there is none of that name."""
        with self._told(name):
            try:
                content: bytes = self._blob(name).download_as_bytes(raw_download=True, **_LIMITS)
            except exceptions.NotFound:
                return None
        return content

    def put(self, name: str, content: bytes, *, new: bool = False) -> bool:
        """Writes a small object; with `new` only where there is none of that name. Whether it was written."""
        condition = {"if_generation_match": 0} if new else {}
        with self._told(name):
            try:
                self._blob(name).upload_from_string(content, "application/octet-stream", **condition, **_LIMITS)
            except exceptions.PreconditionFailed:
                return False
        return True

    def download(self, name: str, tag: str, file: Path) -> None:
        """Writes the object of that tag to a file, in pieces."""
        blob = self._bucket.blob(self._folder + name, chunk_size=CHUNK_BYTES, generation=int(tag))
        with self._told(name):
            blob.download_to_filename(str(file), raw_download=True, **_LIMITS)

    def upload(self, file: Path, name: str) -> None:
        """Writes a file to an object, in pieces."""
        with self._told(name):
            self._blob(name).upload_from_filename(str(file), "application/octet-stream", checksum="crc32c", **_LIMITS)

    def delete(self, names: Iterable[str]) -> None:
        """Deletes objects; those that are not there are passed over."""
        transfer_all([partial(self._delete, name) for name in names])

    def delete_same(self, objects: Mapping[str, Stat]) -> None:
        """Deletes objects of these generations; those that are not there, or are others, are passed over."""
        transfer_all([partial(self._delete, name, int(stat.tag)) for name, stat in objects.items()])

    def _delete(self, name: str, generation: int | None = None) -> None:
        with self._told(name), suppress(exceptions.NotFound, exceptions.PreconditionFailed):
            self._blob(name).delete(if_generation_match=generation, **_LIMITS)

    def _blob(self, name: str) -> storage.Blob:
        return self._bucket.blob(self._folder + name, chunk_size=CHUNK_BYTES)

    @contextmanager
    def _told(self, name: str) -> Iterator[None]:
        """What Google's libraries raise, as errors that say how to mend it."""
        where = f"{self._url}/{name}"
        try:
            yield
        except DefaultCredentialsError as error:
            raise NoCredentialsError(
                "There are no credentials for the shared pipeline root.", where=where, received=str(error), fix=_KEYS
            ) from error
        except GoogleAuthError as error:
            raise refusal(where, error, _KEYS) from error
        except (
            exceptions.GoogleAPIError,
            requests.RequestException,
            InvalidResponse,
            DataCorruption,
        ) as error:
            raise refusal(where, error, _FIX) from error


def _stat(blob: storage.Blob) -> Stat:
    return Stat(blob.size, str(blob.generation), blob.time_created.timestamp())
