"""What `check` says of a root."""

from __future__ import annotations

from configs.settings import Settings
from runners.kubeflow.checks.root import root_findings
from runners.kubeflow.root.shared_root import SharedRoot
from tests.unit.runners.kubeflow.clusters import on_kfp


def _settings(url: str) -> Settings:
    return on_kfp("taxi", "output_dir=/srv/taxi", f"kubeflow.root={url}")


def test_check_tries_the_root_and_leaves_nothing(root: SharedRoot) -> None:
    assert list(root_findings(_settings(root.url))) == []
    assert root.store.list("") == {}


def test_check_tells_of_a_bucket_that_is_not_there(bucket: str) -> None:
    (finding,) = root_findings(_settings(f"{bucket}-elsewhere/x"))
    assert (finding.severity, finding.where) == ("error", "kubeflow.root")
    assert "elsewhere" in finding.received
