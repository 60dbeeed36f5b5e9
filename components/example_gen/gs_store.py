"""Files on Google Cloud Storage, with the credentials that Google's libraries find."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError
from google.cloud import storage
from google.cloud.storage.retry import DEFAULT_RETRY

from components.example_gen.remote_store import (
    CONNECT_SECONDS,
    READ_SECONDS,
    Entry,
    bucket_and_name,
    fixed_part,
    select,
    unanswered,
    without_user,
)
from schemas.errors import DataStoreError

_KEYS = (
    "Set GOOGLE_APPLICATION_CREDENTIALS to a key file wherever nodes run, or give the machine a service account; never "
    "write them into settings."
)
_LIMITS = {"timeout": (CONNECT_SECONDS, READ_SECONDS), "retry": DEFAULT_RETRY.with_timeout(READ_SECONDS)}


class GsStore:
    """Reads `gs://BUCKET/OBJECT`.

    Raises:
        DataStoreError: there are no credentials.
    """

    def __init__(self) -> None:
        with _told("data.path"):
            self._client = storage.Client(project="unused")  # buckets are named without one

    def entry(self, path: str) -> Entry | None:
        """A file; None where there is none of that name."""
        bucket, name = bucket_and_name(path)
        if not name:
            return None
        with _told(path):
            blob = self._client.bucket(bucket).get_blob(name, **_LIMITS)
        return None if blob is None else Entry(path, blob.size, str(blob.generation))

    def find(self, pattern: str) -> list[Entry]:
        """The files and folders that a glob matches, sorted by path."""
        fixed = fixed_part(pattern)
        bucket, prefix = bucket_and_name(fixed)
        rest = pattern[len(fixed) :]
        delimiter = None if "/" in rest or "**" in rest else "/"
        with _told(pattern):
            blobs = self._client.list_blobs(bucket, prefix=prefix, delimiter=delimiter, **_LIMITS)
            entries = [Entry(f"gs://{bucket}/{blob.name}", blob.size, str(blob.generation)) for blob in blobs]
            entries += [Entry(f"gs://{bucket}/{each}", None) for each in blobs.prefixes]
        return select(pattern, entries)

    def read(self, entry: Entry, start: int, end: int) -> bytes:
        """Bytes of a file: all from `start` up to `end`, which is not beyond the file."""
        bucket, name = bucket_and_name(entry.path)
        with _told(entry.path):
            blob = self._client.bucket(bucket).blob(name)
            data: bytes = blob.download_as_bytes(
                start=start,
                end=end - 1,
                raw_download=True,
                checksum=None,
                if_generation_match=int(entry.tag),
                **_LIMITS,
            )
        return data


@contextmanager
def _told(path: str) -> Iterator[None]:
    """What Google's libraries raise, as errors that say how to mend it."""
    try:
        yield
    except GoogleAuthError as error:
        raise DataStoreError(
            "There are no credentials for Google Cloud Storage, or they are not accepted.",
            where=path,
            received=without_user(str(error)),
            fix=_KEYS,
        ) from error
    except exceptions.NotFound as error:
        raise DataStoreError(
            "There is no such bucket, or the file is gone.",
            where=path,
            received=without_user(str(error)),
            fix="Check data.path.",
        ) from error
    except exceptions.PreconditionFailed as error:
        raise DataStoreError(
            "The data changed while it was read.",
            where=path,
            received=without_user(str(error)),
            fix="Run again when the files are complete.",
        ) from error
    except exceptions.ClientError as error:
        raise DataStoreError(
            "Google Cloud Storage refuses to give the data.",
            where=path,
            received=without_user(str(error)),
            fix=f"Allow the account storage.objects.list and storage.objects.get of the bucket. {_KEYS}",
        ) from error
    except (exceptions.GoogleAPIError, OSError) as error:  # OSError: what requests raises
        raise unanswered(path, error, "Check the network.") from error
