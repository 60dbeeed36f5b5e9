"""The folder of a model, in a bucket."""

from __future__ import annotations

import pytest

from schemas.errors import ReleaseError
from serving.object_store.bucket_folder import BucketFolder
from serving.server.model_folder import BucketModelFolder


class Broken:
    """A store whose library raises what nobody expects."""

    def look(self, folder: BucketFolder) -> None:
        raise KeyError("Contents")


def test_whatever_a_store_raises_is_the_trouble_of_this_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.server.model_folder.object_store", lambda scheme: Broken())
    folder = BucketModelFolder(BucketFolder("s3", "models", "half"))
    folder.look()
    assert folder.split() is None
    with pytest.raises(ReleaseError, match=r"(?s)cannot be listed: KeyError.*Where: s3://models/half.*Contents"):
        folder.versions()
