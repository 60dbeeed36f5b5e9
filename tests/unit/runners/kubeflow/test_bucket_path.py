from __future__ import annotations

import pytest

from runners.kubeflow.bucket_path import in_bucket, is_in_bucket, mounted


def test_one_place_has_two_names() -> None:
    assert mounted("gs://bucket/a/b") == "/gcs/bucket/a/b"
    assert in_bucket("/gcs/bucket/a/b") == "gs://bucket/a/b"


@pytest.mark.parametrize("place", ["/data/a", "s3://bucket/a", "", "gcs/bucket"])
def test_other_places_stay(place: str) -> None:
    assert mounted(place) == in_bucket(place) == place
    assert not is_in_bucket(place)


def test_a_bucket_has_a_name() -> None:
    assert is_in_bucket("gs://bucket")
    assert is_in_bucket("/gcs/bucket/a")
    assert not is_in_bucket("gs://")
    assert not is_in_bucket("/gcs/")
