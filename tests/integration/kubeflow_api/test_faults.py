"""What a user is told, and what is repeated, when the server or something before it does not do what was asked."""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from runners.kubeflow.service.api import PipelinesApi
from runners.kubeflow.service.credential import Credential, find_credential
from runners.kubeflow.service.experiments import ensure_experiment
from runners.kubeflow.service.refusal import RefusedError
from runners.kubeflow.service.runs import Run, get_run, list_runs, start_run, terminate_run, wait_for_run
from runners.kubeflow.service.transport import Patience, Transport
from runners.kubeflow.service.versions import Version, ensure_version
from runners.kubeflow.specification import Specification
from schemas.errors import RunError, SettingsError
from tests.integration.kubeflow_api.api_state import KubeflowApi
from tests.integration.kubeflow_api.conftest import QUICK
from tests.integration.kubeflow_api.fault import Fault
from tests.integration.servers.certificate import certificate
from tests.integration.servers.port import free_port

LOGIN = b"<!DOCTYPE html><html><head><title>Log in to Dex</title></head></html>"


def prepared(local: PipelinesApi, specification: Specification) -> tuple[Version, str]:
    return ensure_version(local, specification), ensure_experiment(local, "trials")


def test_an_expired_token_is_named_with_its_place_and_never_shown(server: KubeflowApi, tmp_path: Path) -> None:
    server.token = "new"
    file = tmp_path / "token"
    file.write_text("old-and-secret\n")
    api = PipelinesApi(server.url, credential=find_credential({}, file, None), patience=QUICK)

    with pytest.raises(RefusedError, match="The server does not know who asks") as caught:
        api.check()

    assert f"The token in {file} may have expired: renew it" in caught.value.fix
    assert "old-and-secret" not in str(caught.value)
    assert len(server.requests) == 1

    file.write_text("new\n")  # as Kubernetes renews a token that it projects
    api.check()


def test_without_a_token_the_ways_to_give_one_are_told(server: KubeflowApi, local: PipelinesApi) -> None:
    server.token = "new"

    with pytest.raises(RefusedError) as caught:
        local.check()

    assert "KF_PIPELINES_TOKEN" in caught.value.fix


def test_a_cookie_is_sent(server: KubeflowApi) -> None:
    credential = find_credential({"KF_PIPELINES_COOKIE": "authservice_session=abc"}, None, None)

    PipelinesApi(server.url, credential=credential).check()

    assert server.headers["Cookie"] == "authservice_session=abc"


def test_what_is_forbidden_is_not_tried_again(server: KubeflowApi, local: PipelinesApi) -> None:
    server.faults = [Fault("GET .*/runs$", 403, body=b'{"message": "not in namespace team-a"}', times=9)]

    with pytest.raises(RefusedError, match="does not allow") as caught:
        list_runs(local, None, 5)

    assert caught.value.received == "403: not in namespace team-a"
    assert server.count("GET .*/runs$") == 1


def test_what_is_not_there(local: PipelinesApi) -> None:
    with pytest.raises(RefusedError, match="The server knows no such thing") as caught:
        get_run(local, "no-such-run")

    assert caught.value.status == 404
    assert caught.value.received == "404: not found: no-such-run"


def test_a_run_that_has_ended_is_not_ended_again(
    server: KubeflowApi, local: PipelinesApi, specification: Specification
) -> None:
    run = start_run(local, *prepared(local, specification), "one", {})
    wait_for_run(local, run.run_id, lambda run: None, pause=0.01)

    with pytest.raises(RefusedError, match="the run has ended already"):
        terminate_run(local, run.run_id)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_that_fails_for_a_moment_is_asked_again(server: KubeflowApi, local: PipelinesApi, status: int) -> None:
    server.faults = [Fault("GET .*/healthz", status, times=2)]

    local.check()

    assert [answer for _, _, answer in server.requests] == [status, status, 200]


def test_a_server_that_goes_on_failing_is_given_up(server: KubeflowApi, local: PipelinesApi) -> None:
    server.faults = [Fault("GET", 500, times=9)]

    with pytest.raises(RefusedError, match="The API server failed"):
        local.check()

    assert len(server.requests) == QUICK.attempts


def test_retry_after_is_honoured_within_limits(server: KubeflowApi) -> None:
    server.faults = [Fault("GET", 429, {"Retry-After": "7"}), Fault("GET", 429, {"Retry-After": "3600"})]
    slept: list[float] = []
    transport = Transport(Credential(), patience=Patience(longest=20.0), sleep=slept.append)

    answer = transport.request("GET", f"{server.url}/apis/v2beta1/healthz")

    assert answer.status == 200
    assert slept == [7.0, 20.0]


def test_a_run_that_was_refused_for_the_moment_is_started_later(
    server: KubeflowApi, local: PipelinesApi, specification: Specification
) -> None:
    version, experiment = prepared(local, specification)
    server.faults = [Fault("POST .*/runs$", 429, {"Retry-After": "0"})]

    start_run(local, version, experiment, "one", {})

    assert len(server.runs) == 1


@pytest.mark.parametrize("cut", ["after", "within"])
def test_a_run_whose_answer_is_lost_is_found_and_not_started_twice(
    server: KubeflowApi, local: PipelinesApi, specification: Specification, cut: str
) -> None:
    version, experiment = prepared(local, specification)
    server.faults = [Fault("POST .*/runs$", cut=cut)]

    run = start_run(local, version, experiment, "one", {"steps": 2})

    assert list(server.runs) == [run.run_id]
    assert server.count("POST .*/runs$") == 1


@pytest.mark.parametrize("fault", [Fault("POST .*/runs$", cut="before"), Fault("POST .*/runs$", 503)])
def test_a_run_of_which_nothing_is_known_is_not_started_again(
    server: KubeflowApi, local: PipelinesApi, specification: Specification, fault: Fault
) -> None:
    version, experiment = prepared(local, specification)
    server.faults = [fault]

    with pytest.raises(RefusedError):
        start_run(local, version, experiment, "one", {})

    assert server.count("POST .*/runs$") == 1


def test_an_upload_whose_answer_is_lost_is_one_version(
    server: KubeflowApi, local: PipelinesApi, specification: Specification
) -> None:
    server.faults = [Fault("POST .*/upload_version", cut="after")]

    version = ensure_version(local, specification)

    assert list(server.versions) == [version.version_id]
    assert [status for _, path, status in server.requests if path.endswith("upload_version")] == [0, 409]


def test_names_that_somebody_else_has_just_taken(
    server: KubeflowApi, local: PipelinesApi, specification: Specification
) -> None:
    server.faults = [Fault("POST .*/pipelines$", cut="after"), Fault("POST .*/experiments$", cut="after")]

    version, experiment = prepared(local, specification)

    assert list(server.pipelines) == [version.pipeline_id]
    assert list(server.experiments) == [experiment]


def test_an_answer_that_does_not_come_in_time(server: KubeflowApi) -> None:
    server.faults = [Fault("GET", delay=0.4, times=9)]
    api = PipelinesApi(server.url, patience=Patience(answer=0.05, attempts=2, pause=0.01))

    with pytest.raises(RefusedError, match="The API server cannot be reached") as caught:
        api.check()

    assert caught.value.received == "no answer in time"


def test_a_proxy_that_cuts_off(server: KubeflowApi, local: PipelinesApi) -> None:
    server.faults = [Fault("GET", cut="before", times=2)]

    local.check()

    assert [answer for _, _, answer in server.requests] == [0, 0, 200]


def test_the_page_of_a_login_in_place_of_an_answer(server: KubeflowApi, local: PipelinesApi) -> None:
    server.faults = [Fault("GET", 200, {"Content-Type": "text/html; charset=utf-8"}, LOGIN)]

    with pytest.raises(RefusedError, match="A web page came") as caught:
        local.check()

    assert caught.value.received == "200, a web page titled 'Log in to Dex'"


def test_the_way_to_a_login_is_not_followed(server: KubeflowApi, local: PipelinesApi) -> None:
    place = "https://login.example.com/oauth2/auth?client_id=1&state=secret"
    server.faults = [Fault("GET", 302, {"Location": place})]

    with pytest.raises(RefusedError, match="The server wants a login") as caught:
        local.check()

    assert caught.value.received == "302, to https://login.example.com/oauth2/auth"
    assert "state=secret" not in str(caught.value)


def test_another_place_is_named(server: KubeflowApi, local: PipelinesApi) -> None:
    server.faults = [Fault("GET", 301, {"Location": "https://pipelines.example.com/apis/v2beta1/healthz"})]

    with pytest.raises(RefusedError, match="The server sends us elsewhere") as caught:
        local.check()

    assert "--host" in caught.value.fix


def test_nothing_listens_there() -> None:
    api = PipelinesApi(f"http://127.0.0.1:{free_port()}", patience=QUICK)

    with pytest.raises(RefusedError, match="cannot be reached") as caught:
        api.check()

    assert "Connection refused" in str(caught.value.received)


def test_a_server_with_several_users_needs_a_namespace(server: KubeflowApi, local: PipelinesApi) -> None:
    server.multi_user = True

    with pytest.raises(SettingsError, match="several users"):
        local.check()
    PipelinesApi(server.url, "team-a").check()


def test_every_page_of_a_list_is_read(server: KubeflowApi, local: PipelinesApi, specification: Specification) -> None:
    version, experiment = prepared(local, specification)
    started = [start_run(local, version, experiment, f"run {number}", {}).run_id for number in range(5)]
    server.page_size = 2

    assert [run.run_id for run in list_runs(local, experiment, 9)] == started[::-1]


def test_a_run_is_watched_through_failures_of_the_server(
    server: KubeflowApi, local: PipelinesApi, specification: Specification
) -> None:
    run = start_run(local, *prepared(local, specification), "one", {})
    server.faults = [Fault("GET .*/runs/", 500, times=QUICK.attempts + 1)]
    seen: list[Run] = []

    ended = wait_for_run(local, run.run_id, seen.append, pause=0.01)

    assert [run.state for run in seen] == ["PENDING", "RUNNING", "SUCCEEDED"]
    assert [(task.name, task.state, task.pod) for task in ended.tasks] == [
        ("end", "SUCCEEDED", "flow-system-container-impl-102"),
        ("greet", "SUCCEEDED", "flow-system-container-impl-107"),
    ]


def test_waiting_ends_when_the_time_is_over(
    server: KubeflowApi, local: PipelinesApi, specification: Specification
) -> None:
    run = start_run(local, *prepared(local, specification), "one", {})
    server.outcome = "RUNNING"

    with pytest.raises(RunError, match="has not ended in time"):
        wait_for_run(local, run.run_id, lambda run: None, limit=0.05, pause=0.01)


def test_tls_with_an_authority_of_ones_own(tmp_path: Path) -> None:
    made = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        url = f"https://127.0.0.1:{server.server_address[1]}"
        with pytest.raises(RefusedError, match="cannot be reached") as caught:
            PipelinesApi(url, patience=QUICK).check()
        PipelinesApi(url, ca_file=made.certificate, patience=QUICK).check()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert "--ca-file" in caught.value.fix
