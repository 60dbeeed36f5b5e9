"""One place under two names: an address in a bucket, and the folder where Vertex AI mounts buckets."""

from __future__ import annotations

from pathlib import PurePosixPath

MOUNT = "/gcs"
"""Where each task of Vertex AI finds all buckets that its account may read."""
_SCHEME = "gs://"


def mounted(place: str, mount: str = MOUNT) -> str:
    """`/gcs/BUCKET/FOLDER` for `gs://BUCKET/FOLDER`; anything else stays."""
    return f"{mount}/{place.removeprefix(_SCHEME)}" if place.startswith(_SCHEME) else place


def in_bucket(place: str, mount: str = MOUNT) -> str:
    """The inverse of `mounted`."""
    return f"{_SCHEME}{place.removeprefix(f'{mount}/')}" if place.startswith(f"{mount}/") else place


def is_in_bucket(place: str) -> bool:
    """Whether a place is in a bucket, under either name."""
    address = in_bucket(place)
    return address.startswith(_SCHEME) and bool(PurePosixPath(address.removeprefix(_SCHEME)).parts)
