"""The Kubernetes launcher against a real control plane; the tasks are small shell commands."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
import yaml

from distribution.kubernetes.api_server import ApiServer
from distribution.kubernetes.permissions import launcher_role
from distribution.kubernetes.task_reports import TaskReports
from schemas.errors import DataError, ScalableTFError, TrainingError
from tests.integration.cluster.kubernetes_cluster import IMAGE, KubernetesCluster
from tests.integration.kubernetes.launching import (
    CORE,
    DEFAULT,
    LAUNCHER,
    STAY,
    account,
    apply,
    everything,
    launch,
    launcher_process,
    meanwhile,
    post,
    process_of,
    running,
    training,
    use,
    wait_for,
)


def test_tasks_run_with_their_logs_and_leave_nothing(api: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    launch(training("plain", 'echo "I am $STF_ROLE $JOB_COMPLETION_INDEX, $(hostname)"'))

    assert sorted(capsys.readouterr().out.splitlines()) == [
        "[worker-0] I am worker 0, plain-worker-0",
        "[worker-1] I am worker 1, plain-worker-1",
    ]
    assert everything(api, "plain") == []


def test_tasks_reach_each_other_by_the_names_in_the_cluster(capsys: pytest.CaptureFixture[str]) -> None:
    script = """
import json, os, socket
own, other = (json.loads(os.environ["STF_CLUSTER"])["worker"][place] for place in (0, 1))
index = int(os.environ["JOB_COMPLETION_INDEX"])
if index == 0:
    with socket.create_server(("", int(own.split(":")[1]))) as server:
        print("heard", server.accept()[0].recv(9).decode())
else:
    while True:
        try:
            with socket.create_connection(own.split(":")) as connection:
                connection.sendall(b"worker 1")
            break
        except OSError:
            pass
"""
    launch(training("reach", f"exec python -c '{script}'"))

    assert "[worker-0] heard worker 1" in capsys.readouterr().out


def test_the_training_ends_with_its_chief(api: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    script = f"if [ $STF_ROLE = chief ]; then echo trained; else {STAY}; fi"
    launch(training("chief", script, {"chief": 1, "worker": 1, "ps": 1, "evaluator": 1}))

    assert "[chief-0] trained" in capsys.readouterr().out
    assert everything(api, "chief") == []


def test_tasks_share_a_claim(api: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, mount = tmp_path / "stored", tmp_path / "mount"
    folder.mkdir()
    mount.mkdir()
    sizes = {"accessModes": ["ReadWriteMany"], "storageClassName": "none"}
    volume = {**sizes, "capacity": {"storage": "1Gi"}, "hostPath": {"path": str(folder)}}
    claim = {**sizes, "resources": {"requests": {"storage": "1Gi"}}}
    post(api, f"{CORE}/persistentvolumes", "PersistentVolume", "stored", spec=volume)
    post(api, f"{DEFAULT}/persistentvolumeclaims", "PersistentVolumeClaim", "claim", spec=claim)
    write = f"echo hello > {mount}/greeting"
    read = f"while ! cat {mount}/greeting 2> /dev/null; do sleep 0.1; done"
    script = f"if [ $JOB_COMPLETION_INDEX = 0 ]; then {write}; else {read}; fi"
    launch(training("claim", script, volumes=[{"claim": "claim", "mount": str(mount)}]))

    assert "[worker-1] hello" in capsys.readouterr().out
    assert (folder / "greeting").read_text() == "hello\n"


def test_a_mistake_is_reported_with_its_last_lines_and_not_tried_again(
    api: ApiServer, capsys: pytest.CaptureFixture[str]
) -> None:
    script = f"if [ $JOB_COMPLETION_INDEX = 1 ]; then echo no such column; exit 1; else {STAY}; fi"
    with pytest.raises(TrainingError, match=r"Task worker-1 ended with exit code 1\.") as raised:
        launch(training("mistake", script, restarts=5))

    assert "no such column" in str(raised.value.received)
    assert capsys.readouterr().out.count("no such column") == 1
    assert everything(api, "mistake") == []


def test_a_tasks_own_error_is_raised_as_it_is() -> None:
    own = DataError("There is no such column.", received="fair", fix="Write fare.")

    class Reports(TaskReports):
        def failure(self, task: str) -> ScalableTFError | None:
            return own if task == "worker-1" else None

    with pytest.raises(DataError) as raised:
        launch(training("own", 'exit "$JOB_COMPLETION_INDEX"'), reports=Reports())

    assert raised.value is own


def test_a_task_without_a_sign_of_life_is_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    once = tmp_path / "once"

    class Reports(TaskReports):
        begun = 0

        def begins(self, task: str) -> None:
            self.begun += 1

        def silent_for(self, task: str) -> float | None:
            return 120.0 if once.exists() and self.begun == 1 else None

    script = f"[ -e {once} ] && {{ echo again; exit 0; }}; touch {once}; {STAY}"
    launch(training("hung", script, {"worker": 1}), reports=Reports())

    said = capsys.readouterr().out
    assert "[worker-0] no sign of life for 120 s: pod hung-worker-0-" in said
    assert "[worker-0] again" in said


def test_a_deleted_pod_is_replaced(api: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    once = f"{tmp_path}/once"

    def delete() -> None:
        name = wait_for(lambda: Path(once).exists() and running(api, "deleted", "worker", 1))
        api.json("DELETE", f"{DEFAULT}/pods/{name}")

    script = (
        f"[ $JOB_COMPLETION_INDEX = 0 ] && exit 0; [ -e {once} ] && {{ echo again; exit 0; }}; touch {once}; {STAY}"
    )
    with meanwhile(delete):
        launch(training("deleted", script))

    assert "[worker-1] again" in capsys.readouterr().out


def test_a_killed_task_is_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    once = f"{tmp_path}/once"
    script = f"[ -e {once} ] && {{ echo again; exit 0; }}; touch {once}; {STAY}"
    with meanwhile(lambda: os.kill(wait_for(lambda: Path(once).exists() and process_of(once)), signal.SIGKILL)):
        launch(training("slain", script, {"worker": 1}))

    said = capsys.readouterr().out
    assert "ended with exit code 137" in said
    assert "[worker-0] again" in said


def test_an_evicted_pod_is_replaced_and_not_counted(
    api: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    once = f"{tmp_path}/once"

    def evict() -> None:
        name = wait_for(lambda: Path(once).exists() and running(api, "evicted", "worker", 0))
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
        api.json("POST", f"{DEFAULT}/pods/{name}/eviction", body=body)

    script = f"[ -e {once} ] && {{ echo again; exit 0; }}; touch {once}; {STAY}"
    with meanwhile(evict):
        launch(training("evicted", script, {"worker": 1}, restarts=0))

    assert "[worker-0] again" in capsys.readouterr().out


def test_a_task_that_is_lost_too_often_ends_the_training(api: ApiServer) -> None:
    with pytest.raises(TrainingError, match=r"exit code 75, and training.max_restarts allows 0 restarts"):
        launch(training("often", "exit 75", {"worker": 1}, restarts=0))

    assert everything(api, "often") == []


def test_a_task_that_crashes_twice_ends_the_training(api: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TrainingError, match="Task worker-0 ended with exit code 70"):
        launch(training("crash", "echo Segmented; exit 70", {"worker": 1}, restarts=5))

    assert capsys.readouterr().out.count("[worker-0] Segmented") == 2
    assert everything(api, "crash") == []


def test_all_start_again_when_a_parameter_server_is_lost(
    api: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chief, go = tmp_path / "chief", tmp_path / "go"

    def lose() -> None:
        wait_for(lambda: chief.exists() and running(api, "together", "chief", 0))
        go.touch()

    started = f"echo x >> {tmp_path}/$STF_ROLE"
    lost = f"[ $(wc -l < {tmp_path}/ps) = 1 ] && while [ ! -e {go} ]; do sleep 0.1; done && exit 75"
    done = f"[ $STF_ROLE = chief ] && [ $(wc -l < {chief}) = 2 ] && exit 0"
    script = f"{started}; if [ $STF_ROLE = ps ]; then {lost}; fi; {done}; {STAY}"
    with meanwhile(lose):
        launch(training("together", script, {"chief": 1, "ps": 1}))

    said = capsys.readouterr().out
    assert "[ps-0] pod together-ps-0-" in said
    assert "[chief-0] starts again with the others, from the last checkpoint" in said
    assert chief.read_text() == "x\nx\n"  # what the first one says may go with its pod


def test_an_image_that_cannot_be_pulled(api: ApiServer) -> None:
    with pytest.raises(TrainingError, match="image of task worker-[01] cannot be pulled") as raised:
        launch(training("image", "true", image="registry.invalid/trainer:1"))

    assert str(raised.value.received).startswith("registry.invalid/trainer:1 (")
    assert everything(api, "image") == []


def test_a_pod_that_fits_no_node() -> None:
    for seconds in (3, 60):  # the scheduler has to look at the pod before they are over
        with pytest.raises(TrainingError) as raised:
            launch(
                training(f"large-{seconds}", "true", {"worker": 1}, resources={"worker": {"cpu": "1000"}}),
                start_seconds=float(seconds),
            )
        if "Insufficient cpu" in str(raised.value.received):
            break

    assert "Insufficient cpu" in str(raised.value.received)
    assert f"no node for task worker-0 in {seconds} seconds" in raised.value.what


def test_a_service_account_that_does_not_exist() -> None:
    with pytest.raises(TrainingError, match="does not let the training's pods be made") as raised:
        launch(training("account", "true", service_account="nobody"))

    assert 'serviceaccount "nobody" not found' in str(raised.value.received)


def test_a_namespace_that_does_not_exist() -> None:
    with pytest.raises(TrainingError) as raised:
        launch(training("namespace", "true", namespace="nowhere"))

    assert 'namespaces "nowhere" not found' in str(raised.value.received)


def test_a_namespace_may_demand_restricted_pods(api: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "restricted", "labels": labels}}
    api.json("POST", f"{CORE}/namespaces", body=body)
    launch(training("modest", "id -u", {"worker": 1}, namespace="restricted", user=1000))

    assert capsys.readouterr().out == "[worker-0] 1000\n"


def test_missing_permissions_are_named_with_the_role_that_mends_them(
    api: ApiServer,
    kubernetes: KubernetesCluster,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    use(kubernetes.kubeconfig_of(account(api, "unknown")), monkeypatch)
    with pytest.raises(TrainingError) as raised:
        launch(training("rbac", "echo hello"))

    assert raised.value.where == "namespace default, as system:serviceaccount:default:unknown"
    assert raised.value.received == (
        "not allowed: create jobs, delete jobs, list jobs, create services, delete services, delete pods, list pods, "
        "get pods/log"
    )
    apply(api, list(yaml.safe_load_all(raised.value.fix.partition("\n\n")[2])))
    launch(training("rbac", "echo hello"))
    assert "[worker-0] hello" in capsys.readouterr().out


def test_a_token_that_is_not_known(kubernetes: KubernetesCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    use(kubernetes.kubeconfig_of("nobody's"), monkeypatch)
    with pytest.raises(TrainingError, match="Kubernetes does not know who we are"):
        launch(training("token", "true"))


def test_sigterm_removes_the_training(api: ApiServer, kubernetes: KubernetesCluster) -> None:
    with launcher_process(training("stopped", STAY), kubernetes.kubeconfig) as launcher:
        wait_for(lambda: running(api, "stopped", "worker", 0) and running(api, "stopped", "worker", 1))
        launcher.send_signal(signal.SIGTERM)

        assert launcher.wait() == 143
    assert everything(api, "stopped") == []


def test_what_a_killed_launcher_leaves_goes_after_the_chief(
    api: ApiServer, kubernetes: KubernetesCluster, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    script = f"if [ $STF_ROLE = chief ]; then while [ ! -e {go} ]; do sleep 0.1; done; else {STAY}; fi"
    workload = training("killed", script, {"chief": 1, "ps": 1}, keep_seconds=1)
    with launcher_process(workload, kubernetes.kubeconfig) as launcher:
        wait_for(lambda: running(api, "killed", "chief", 0) and running(api, "killed", "ps", 0))
        launcher.kill()
    assert len(everything(api, "killed")) == 5
    go.touch()

    wait_for(lambda: everything(api, "killed") == [])


def test_the_next_launcher_removes_what_a_killed_one_has_left(
    api: ApiServer, kubernetes: KubernetesCluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    go = tmp_path / "go"
    workload = training("resumed", f"[ -e {go} ] && {{ echo second; exit 0; }}; {STAY}")
    with launcher_process(workload, kubernetes.kubeconfig) as launcher:
        wait_for(lambda: running(api, "resumed", "worker", 0) and running(api, "resumed", "worker", 1))
        launcher.kill()
    go.touch()
    launch(workload)

    assert "[worker-0] second" in capsys.readouterr().out
    assert everything(api, "resumed") == []


def test_what_a_pod_launches_goes_with_that_pod(api: ApiServer) -> None:
    account(api, "trainer")
    apply(api, launcher_role("default", "system:serviceaccount:default:trainer"))
    workload = training("inner", STAY)
    fields = {**vars(workload), "pods": workload.pods.model_dump(mode="json")}
    task = {"name": "main", "image": IMAGE, "command": ["python", "-c", LAUNCHER, json.dumps(fields)]}
    spec = {"serviceAccountName": "trainer", "restartPolicy": "Never", "containers": [task]}
    post(api, f"{DEFAULT}/pods", "Pod", "outer", spec=spec)
    wait_for(lambda: running(api, "inner", "worker", 0) and running(api, "inner", "worker", 1))
    api.json("DELETE", f"{DEFAULT}/pods/outer", body={"gracePeriodSeconds": 0})

    wait_for(lambda: everything(api, "inner") == [])
