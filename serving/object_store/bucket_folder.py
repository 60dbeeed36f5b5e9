"""A folder in a bucket, by its address."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.errors import SettingsError

_SCHEMES = ("gs", "s3")


@dataclass(frozen=True)
class BucketFolder:
    """`SCHEME://BUCKET/NAME`: what the names of objects begin with, up to a slash. Stores have no other folders.

    Attributes:
        scheme: gs or s3.
        bucket: its name.
        name: of the folder, without slashes at its ends; empty: the whole bucket.
    """

    scheme: str
    bucket: str
    name: str = ""

    @classmethod
    def of(cls, address: str, where: str) -> BucketFolder:
        """The folder of an address.

        Args:
            address: with a scheme.
            where: it was given, for errors.

        Raises:
            SettingsError: its scheme is another one, or it names no bucket.
        """
        scheme, _, path = address.partition("://")
        bucket, _, name = path.partition("/")
        if scheme in _SCHEMES and bucket:
            return cls(scheme, bucket, name.strip("/"))
        raise SettingsError(
            "Models are served from folders of this machine, and from gs://BUCKET/FOLDER and s3://BUCKET/FOLDER.",
            where=where,
            received=address,
            fix="Write s3:// for S3."
            if scheme in ("s3a", "s3n")
            else "Name the bucket, or copy the versions to a folder or a bucket of these.",
        )

    @property
    def prefix(self) -> str:
        """What the names of its objects begin with."""
        return f"{self.name}/" if self.name else ""

    @property
    def parent(self) -> BucketFolder | None:
        """The folder that it is in; None: it is the whole bucket."""
        return BucketFolder(self.scheme, self.bucket, self.name.rpartition("/")[0]) if self.name else None

    def __truediv__(self, name: str) -> BucketFolder:
        return BucketFolder(self.scheme, self.bucket, self.prefix + name)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.name}".rstrip("/")
