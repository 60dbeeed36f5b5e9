"""What S3 is asked for: a server that compares is told to."""

from __future__ import annotations

import pytest
from botocore.stub import Stubber

from runners.kubeflow.root.object_store import Stat
from runners.kubeflow.root.s3_objects import S3Objects
from schemas.errors import RunError


def test_the_server_compares_the_tags_of_what_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "any")
    store = S3Objects("s3://pipelines/taxi")
    objects = {name: Stat(1, f'"{name}"') for name in ("replaced", "gone")}
    asked = [{"Key": f"taxi/{name}", "ETag": stat.tag} for name, stat in objects.items()]
    passed_over = [{"Key": "taxi/replaced", "Code": "PreconditionFailed"}, {"Key": "taxi/gone", "Code": "Not Found"}]
    refused = [*passed_over, {"Key": "taxi/gone", "Code": "AccessDenied"}]
    with Stubber(store._client) as server:
        for errors in (passed_over, refused):
            server.add_response(
                "delete_objects",
                {"Errors": errors},
                {"Bucket": "pipelines", "Delete": {"Objects": asked, "Quiet": True}},
            )
        store.delete_same(objects)
        with pytest.raises(RunError, match="cannot be used") as caught:
            store.delete_same(objects)
    assert "AccessDenied" in str(caught.value.received)
