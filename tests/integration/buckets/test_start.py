"""A model server that is started on a bucket."""

from __future__ import annotations

import json
import os
import shutil
import signal
import urllib.request
from pathlib import Path

import pytest

from schemas.errors import ReleaseError, ScalableTFError
from serving.blessing import Blessing
from serving.change_request import ChangeRequest
from serving.labels import Labels
from serving.model_server import ModelServer, ServerOptions
from serving.object_store import object_store
from serving.release import Provenance
from serving.releases import ReleaseStore
from serving.server.model_config import from_option
from tests.integration.buckets.managed import held
from tests.integration.buckets.served_bucket import ServedBucket
from tests.integration.command_server import CommandServer
from tests.integration.serve_command import port, serve

pytestmark = pytest.mark.slow


def test_a_bucket_that_is_not_there_is_told_at_the_start(bucket: ServedBucket) -> None:
    with pytest.raises(ReleaseError, match="(?s)There is no such bucket.*Where: .*://no-such-bucket/half.*Fix: "):
        _start(f"{bucket.scheme}://no-such-bucket/half")


def test_credentials_that_are_missing_or_wrong_are_told_at_the_start(
    bucket: ServedBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    if bucket.scheme == "gs":
        monkeypatch.delenv("STORAGE_EMULATOR_HOST")
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/missing/key.json")
    else:
        bucket.fail("ExpiredToken")
        with pytest.raises(ReleaseError, match="(?s)S3 does not accept the credentials.*Fix: Set AWS_ACCESS_KEY_ID"):
            _start(bucket.url("half"))
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    object_store._store.cache_clear()
    try:
        with pytest.raises(ScalableTFError, match="(?s)There are no credentials for .*Received: .*Fix: Set "):
            _start(bucket.url("half"))
    finally:
        object_store._store.cache_clear()


def test_the_command_serves_the_labels_beside_the_folder(
    bucket: ServedBucket,
    model: Path,
    commands: CommandServer,
    tmp_path: Path,
) -> None:
    releases = tmp_path / "releases"
    store = ReleaseStore(releases, "half")
    other = shutil.copytree(model, tmp_path / "other")
    (other / "assets.extra/note").write_text("another one")
    for number, source in enumerate((model, other), start=1):
        store.publish(source, Provenance(pipeline="half", run_id=f"run-{number}", blessing=Blessing(blessed=True)))
    labels = Labels(releases, "half")
    labels.promote(2, ChangeRequest("ann", "vm"))
    labels.rollback(ChangeRequest("ann", "vm"), to=1)
    bucket.copy(releases, "command")
    temporary = Path(os.environ["TMPDIR"])
    with serve(commands, f"--model=half={bucket.url('command/half')}", **bucket.environ) as command:
        rest = f"http://127.0.0.1:{port(command, 'REST')}/v1/models/half"
        with urllib.request.urlopen(f"{rest}/labels/stable") as answer:
            (state,) = json.load(answer)["model_version_status"]
        assert (state["version"], state["state"]) == ("1", "AVAILABLE")
        assert f"half has the labels and versions that {bucket.url('command/models.config')} says" in command.text
        assert held(temporary) == ["1"]
        command.signal(signal.SIGTERM)
        assert command.wait() == 0, command.text
        assert held(temporary) == []


def _start(url: str) -> None:
    ModelServer(ServerOptions(models=(from_option(f"half={url}"),), grpc_port=0, rest_port=0))
