"""Addresses of folders in buckets."""

from __future__ import annotations

from serving.object_store.bucket_folder import BucketFolder


def test_a_folder_has_a_bucket_a_name_and_a_parent() -> None:
    folder = BucketFolder.of("s3://models/releases/taxi/", "--model")
    assert folder == BucketFolder("s3", "models", "releases/taxi")
    assert (str(folder), folder.prefix) == ("s3://models/releases/taxi", "releases/taxi/")
    assert str(folder / "0002") == "s3://models/releases/taxi/0002"
    assert folder.parent == BucketFolder("s3", "models", "releases")


def test_a_bucket_is_a_folder_that_is_in_none() -> None:
    bucket = BucketFolder.of("gs://models", "--model")
    assert (str(bucket), bucket.prefix, bucket.parent) == ("gs://models", "", None)
    assert bucket / "7" == BucketFolder("gs", "models", "7")
    assert (bucket / "7").parent == bucket
