"""What S3 refuses, as errors that say how to mend it."""

from __future__ import annotations

import pytest
from botocore.stub import Stubber

from schemas.errors import ReleaseError
from serving.object_store.bucket_folder import BucketFolder
from serving.object_store.object_store import File
from serving.object_store.s3_objects import S3Objects

FOLDER = BucketFolder("s3", "models", "half")


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> S3Objects:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "any")
    return S3Objects()


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("AccessDenied", "does not let these credentials read the model.*Fix: Allow these credentials s3:ListBucket"),
        ("InvalidAccessKeyId", "does not accept the credentials.*Fix: Set AWS_ACCESS_KEY_ID"),
        ("PermanentRedirect", "elsewhere.*Fix: Set AWS_REGION"),
        ("NoSuchBucket", "There is no such bucket.*Fix: Check its name"),
        ("SomethingElse", "S3 refuses to give the model.*Received: .*SomethingElse"),
    ],
)
def test_what_a_bucket_that_cannot_be_listed_says(store: S3Objects, code: str, told: str) -> None:
    with Stubber(store._client) as server:
        server.add_client_error("list_objects_v2", code)
        with pytest.raises(ReleaseError, match=f"(?s){told}") as raised:
            store.look(FOLDER)
    assert raised.value.where == "s3://models/half"


def test_a_file_is_read_as_it_was_listed_or_not_at_all(store: S3Objects) -> None:
    asked = {"Bucket": "models", "Key": "half/7/saved_model.pb", "IfMatch": '"a"'}
    with Stubber(store._client) as server:
        server.add_client_error("get_object", "PreconditionFailed", expected_params=asked)
        with pytest.raises(ReleaseError, match="replaced or deleted while it was copied"):
            store.download(FOLDER / "7", File("saved_model.pb", 1, '"a"'), lambda piece: None)
