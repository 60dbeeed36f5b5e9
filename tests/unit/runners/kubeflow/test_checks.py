from __future__ import annotations

import os

import pytest

from configs.kubeflow import KubeflowTask
from configs.settings import Settings
from pipeline.nodes import OF_TRAINING
from runners.kubeflow.checks.kfp import kfp_findings
from runners.kubeflow.checks.places import output_findings
from runners.kubeflow.checks.root import root_findings
from runners.kubeflow.checks.sizes import MAX_PARAMETER, package_findings
from runners.kubeflow.checks.vertex import vertex_findings
from runners.kubeflow.finding import Finding, refuse_errors
from schemas.errors import SettingsError
from tests.unit.runners.kubeflow.clusters import IMAGE, on_kfp, on_vertex

LAUNCHER = (
    "training.strategy=multi_worker_mirrored",
    "training.cluster.workers=2",
    "training.cluster.launcher=kubernetes",
)


def found(settings: Settings) -> list[tuple[str, str]]:
    return [(one.severity, one.where) for one in kfp_findings(settings, OF_TRAINING)]


def test_settings_that_have_all_they_need() -> None:
    assert found(on_kfp("taxi")) == []


@pytest.mark.parametrize(
    ("override", "severity", "where"),
    [
        ("kubeflow.image=null", "error", "kubeflow.image"),
        ("kubeflow.image=registry/x:latest", "error", "kubeflow.image"),
        ("kubeflow.image=registry:5000/x", "error", "kubeflow.image"),
        ("kubeflow.image=registry/x@sha256:0", "error", "kubeflow.image"),
        ("kubeflow.image=registry/x:1.2", "warning", "kubeflow.image"),
        ("output_dir=outputs/taxi", "error", "output_dir"),
        ("output_dir=/home/me/taxi", "error", "output_dir"),
        ("output_dir=s3://bucket/taxi", "error", "output_dir"),
        ("output_dir=/mnt/stf/../taxi", "error", "output_dir"),
        ("metadata.url=null", "error", "metadata.url"),
        ("metadata.url=sqlite:////mnt/stf/m.sqlite", "error", "metadata.url"),
        ("metadata.url=mysql://ml:${DB_PASSWORD}@localhost/ml", "error", "metadata.url"),
        ("metadata.url=mysql://ml:${DB_PASSWORD}@127.0.0.1/ml", "error", "metadata.url"),
        ("metadata.url=mysql://ml:${DB_PASSWORD}@db/ml?ssl_ca=/etc/me/ca.pem", "error", "metadata.url"),
        ("metadata.url=mysql://ml:${OTHER}@db/ml", "error", "metadata.url"),
        ("metadata.url=mysql://ml:hunter2@db/ml", "error", "metadata.url"),
        ("data.path=/mnt/stf/*{SPAN}/x.csv", "warning", "data.path"),
        ("data.path=data/*.csv", "error", "data.path"),
        ("data.path=/home/me/data.csv", "error", "data.path"),
        ("data.path=package:mine/data.csv", "warning", "data.path"),
        ("training.cluster.folder=/tmp/x", "error", "training.cluster.folder"),
        ("model.run_fn=tests.integration.trips.run_fn", "warning", "model.run_fn"),
        ("engine={kind: flink, flink: {address: 'localhost:8099'}}", "error", "engine.flink.address"),
        ("engine={kind: flink}", "warning", "engine.flink.address"),
        ("engine={kind: flink, flink: {address: 'flink:8099'}}", "warning", "engine.flink.workers.kind"),
        ("name=taxi_fare", "warning", "name"),
        ("kubeflow.volumes=[{mount: /mnt/stf, claim: a.b}]", "error", "kubeflow.volumes.0.claim"),
        ("kubeflow.user=1000", "warning", "kubeflow.user"),
        ("kubeflow.gpu_resource=a gpu", "error", "kubeflow.gpu_resource"),
        ("kubeflow.defaults.node_selector={pool: a b}", "error", "kubeflow.defaults.node_selector"),
        ("kubeflow.nodes={Trayner: {timeout_seconds: 5}}", "error", "kubeflow.nodes.Trayner"),
        ("kubeflow.webhook=http://host", "warning", "kubeflow.webhook"),
        ("kubeflow.webhook=https://host/services/xyz", "error", "kubeflow.webhook"),
        ("kubeflow.webhook='https://host/?token=${TOKEN}'", "error", "kubeflow.webhook"),
    ],
)
def test_one_thing_is_wrong(override: str, severity: str, where: str) -> None:
    assert found(on_kfp("taxi", override)) == [(severity, where)]


def test_paths_in_buckets_and_on_volumes_are_right() -> None:
    assert found(on_kfp("taxi", "data.path=s3://bucket/*.csv")) == []
    assert found(on_kfp("taxi", "data.path=/mnt/stf/data/*.csv")) == []
    assert found(on_kfp("taxi", "data.path=/mnt/stf/{SPAN}/*.csv")) == []


ON_S3 = ("kubeflow.root=s3://stf-root/taxi", "kubeflow.volumes=[{mount: /mnt/data, claim: data}]")


def places(settings: Settings) -> list[tuple[str, str]]:
    """Without the probe of the root, which needs a server."""
    return [(one.severity, one.where) for one in output_findings(settings)]


def test_with_a_shared_root_output_dir_is_on_no_volume() -> None:
    assert places(on_kfp("taxi", *ON_S3, "output_dir=/srv/taxi")) == []
    assert places(on_kfp("taxi", *ON_S3, "output_dir=/mnt/data/taxi")) == [("error", "output_dir")]
    assert places(on_kfp("taxi", *ON_S3, "output_dir=/mnt")) == [("error", "output_dir")]


@pytest.mark.parametrize("folder", ["/", "/tmp", "outputs/taxi", "s3://stf-root/taxi"])
def test_with_a_shared_root_output_dir_is_a_folder_of_its_own(folder: str) -> None:
    assert places(on_kfp("taxi", *ON_S3, f"output_dir={folder}")) == [("error", "output_dir")]


def test_a_root_that_nobody_can_log_in_to_from_here(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, os.devnull)
    root = ("output_dir=/srv/taxi", "kubeflow.root=s3://stf-nobody/taxi")
    assert [(one.severity, one.where) for one in root_findings(on_kfp("taxi", *root))] == [("warning", "kubeflow.root")]


def test_a_secret_in_an_ordinary_variable_is_seen_by_everybody() -> None:
    more = ("kubeflow.environment_secrets=null", "kubeflow.defaults.environment={DB_PASSWORD: x}")
    assert found(on_kfp("taxi", *more)) == [("warning", "metadata.url")]


def test_a_launcher_whose_pods_are_unlike_the_trainer() -> None:
    pods = "training.cluster.kubernetes"
    assert found(on_kfp("taxi", *LAUNCHER)) == [
        ("warning", f"{pods}.image"),
        ("warning", f"{pods}.volumes"),
        ("warning", "kubeflow.service_account"),
    ]
    volumes = f"{pods}.volumes=[{{mount: /mnt/stf, claim: stf}}]"
    alike = (f"{pods}.image={IMAGE}", volumes, "kubeflow.service_account=trainer")
    assert found(on_kfp("taxi", *LAUNCHER, *alike)) == []


def test_a_training_that_nobody_would_start() -> None:
    assert found(on_kfp("taxi", *LAUNCHER[:2], "training.cluster.launcher=env")) == [
        ("error", "training.cluster.launcher")
    ]


def _long(size: int) -> Settings:
    kubeflow = on_kfp("taxi").kubeflow
    longer = kubeflow.model_copy(update={"defaults": KubeflowTask(environment={"A": "x" * size})})
    return on_kfp("taxi").model_copy(update={"kubeflow": longer})


def test_settings_that_are_too_long_to_be_given_anew() -> None:
    assert found(_long(MAX_PARAMETER)) == [("warning", "the settings")]


def test_settings_that_are_too_long_for_a_task() -> None:
    assert found(_long(70_000)) == [("error", "the settings")]


def test_a_package_that_kubeflow_does_not_read() -> None:
    (finding,) = package_findings([{"components": 3}], "components: 3")
    assert (finding.severity, finding.where) == ("error", "the package")


def test_a_container_that_kubeflow_does_not_know() -> None:
    container = {"image": "x", "resources": {"cpus": 2}}
    document = {"pipelineInfo": {"name": "x"}, "deploymentSpec": {"executors": {"exec-a": {"container": container}}}}
    (finding,) = package_findings([document], "")
    assert "cpus" in finding.received


@pytest.mark.parametrize(
    ("override", "severity", "where"),
    [
        ("output_dir=/mnt/x", "error", "output_dir"),
        ("data.path=/data/x.csv", "error", "data.path"),
        ("engine.kind=flink", "error", "engine"),
        ("training={strategy: multi_worker_mirrored, cluster: {launcher: env}}", "error", "training.cluster.launcher"),
        ("metadata.url=mysql://ml@db/ml", "warning", "metadata.url"),
        ("kubeflow.defaults.resources.gpus=1", "error", "kubeflow.gpu_resource"),
        ("kubeflow.volumes=[{mount: /mnt/stf, claim: stf}]", "warning", "kubeflow.volumes"),
        ("kubeflow.image=null", "error", "kubeflow.image"),
    ],
)
def test_what_vertex_does_not_take(override: str, severity: str, where: str) -> None:
    before = [(one.severity, one.where) for one in vertex_findings(on_vertex("minimal"), OF_TRAINING)]
    after = [(one.severity, one.where) for one in vertex_findings(on_vertex("minimal", override), OF_TRAINING)]
    assert before == [("warning", "output_dir")]
    assert (severity, where) in after
    assert len(after) <= 2


def test_a_query_with_a_password_is_not_for_vertex() -> None:
    query = "data={source: sql, path: null, query: {url: 'mysql://ml:${P}@db/ml', text: 'SELECT fare, tips FROM t'}}"
    assert ("error", "data.query.url") in [
        (one.severity, one.where) for one in vertex_findings(on_vertex("minimal", query), OF_TRAINING)
    ]


ONE = Finding("error", "It is wrong.", "a.b", "x", "Mend it.")


def test_one_error_is_raised_as_it_is() -> None:
    with pytest.raises(SettingsError) as raised:
        refuse_errors([ONE])
    assert str(raised.value) == "It is wrong.\n  Where: a.b\n  Received: x\n  Fix: Mend it."


def test_several_errors_are_listed_and_warnings_are_not() -> None:
    warning = Finding("warning", "It is odd.", "c", "", "Look at it.")
    with pytest.raises(SettingsError, match="2 mistakes") as raised:
        refuse_errors([ONE, warning, ONE])
    assert str(raised.value).count("It is wrong.") == 2
    assert "odd" not in str(raised.value)


def test_warnings_alone_are_not_refused() -> None:
    refuse_errors([Finding("warning", "It is odd.", "c", "", "Look at it.")])
