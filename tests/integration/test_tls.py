"""`scalable-tf serve --ssl-config`, and whoever asks it: real processes, and certificates that are made here."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from schemas.errors import ServingError
from serving.blessing import Blessing
from serving.client.client_tls import ClientTls
from serving.client.grpc_client import AsyncGrpcClient, GrpcClient
from serving.client.rest_client import AsyncRestClient, RestClient
from serving.release import Provenance
from serving.releases import ReleaseStore
from tests.certificates import ssl_config
from tests.integration.command_server import Command, CommandServer
from tests.integration.serve_command import port, serve
from tests.integration.tls_trust import Trust
from tests.tiny_models import half_plus

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandServer]:
    modules = ["serving.model_server", "serving.client.grpc_client", "serving.remote_server", "httpx"]
    server = CommandServer(tmp_path_factory.mktemp("commands"), modules)
    yield server
    server.close()


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the model half, which answers x / 2 + 2."""
    folder = tmp_path_factory.mktemp("half")
    provenance = Provenance(pipeline="half", run_id="run", spans=(1,), blessing=Blessing(blessed=True))
    ReleaseStore(folder / "releases", "half").publish(half_plus(folder / "model", 2.0), provenance)
    return folder / "releases"


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    return Trust(tmp_path)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([{"x": 1.0}, {"x": 2.0}]))
    return path


def _serve_half(commands: CommandServer, releases: Path, *options: str) -> AbstractContextManager[Command]:
    return serve(commands, "--model", f"half={releases / 'half'}", *options)


def _addresses(command: Command) -> tuple[str, str]:
    """Of gRPC and REST, as it tells them."""
    port(command, "REST")
    found = dict(re.findall(r"^(gRPC|REST): (\S+)$", command.stdout.read_text(), re.MULTILINE))
    return found["gRPC"], found["REST"]


def test_who_shows_a_certificate_is_answered_and_nobody_else(
    commands: CommandServer, releases: Path, trust: Trust, rows: Path
) -> None:
    with _serve_half(commands, releases, f"--ssl-config={trust.config}", "--grace-seconds=3600") as command:
        secure, rest = _addresses(command)
        assert secure.startswith("grpcs://127.0.0.1:")
        assert rest.startswith("https://127.0.0.1:")
        trusted = {"SSL_CERT_FILE": str(trust.ca)}
        for where, files, environment in (
            (["--grpc", secure], trust.files, {}),
            (["--url", rest], trust.files[1:], trusted),
        ):
            ask = ["predict", *where, "--model", "half", "--signature", "serving_default", "--input", str(rows)]
            answered = commands.run([*ask, *files], **environment)
            assert answered.wait() == 0, answered.text
            assert answered.stdout.read_text() == '{"y": 2.5}\n{"y": 3.0}\n'
        nameless = commands.run([*ask, trust.files[0]])
        assert nameless.wait() == 1
        assert "none is shown. Give --tls-cert and --tls-key" in nameless.text
        for strange, told in (
            (ClientTls(trust.ca), "none is shown"),
            (ClientTls(trust.shown[0], *trust.shown), "not of an authority in"),
            (None, "not of an authority that the libraries bring"),
        ):
            for kind, address in ((GrpcClient, secure), (RestClient, rest)):
                with kind(address, "half", tls=strange, retries=0) as client, pytest.raises(ServingError, match=told):
                    client.status()
        plain = secure.removeprefix("grpcs://")
        with (
            GrpcClient(plain, "half", retries=0) as client,
            pytest.raises(ServingError, match=f"give {secure} instead"),
        ):
            client.status()
        moved = ["release", "promote", "1", "--releases", str(releases), "--model", "half", "--server", secure]
        promoted = commands.run([*moved, *trust.files])
        assert promoted.wait() == 0, promoted.text
        with GrpcClient(secure, "half", label="stable", tls=trust.tls) as client:
            assert client.predict({"x": [4.0]}).outputs["y"].tolist() == [4.0]
        asyncio.run(_ask_by_asyncio(secure, rest, trust))
        with RestClient(rest, "half", tls=trust.tls) as idle:
            idle.status()
            command.signal(signal.SIGTERM)
            assert command.wait() == 0
    assert "PRIVATE KEY" not in command.text
    assert "REST: TLS with 127.0.0.1 failed: it shows no certificate." in command.text


async def _ask_by_asyncio(secure: str, rest: str, trust: Trust) -> None:
    async with (
        AsyncGrpcClient(secure, "half", tls=trust.tls) as one,
        AsyncRestClient(rest, "half", tls=trust.tls) as other,
    ):
        for client in (one, other):
            assert (await client.predict({"x": [4.0]})).outputs["y"].tolist() == [4.0]


def test_certificates_change_under_a_running_server(commands: CommandServer, releases: Path, trust: Trust) -> None:
    (trust.folder / "later").mkdir()
    later = Trust(trust.folder / "later")
    with _serve_half(commands, releases, f"--ssl-config={trust.config}") as command:
        secure, rest = _addresses(command)
        clients = (GrpcClient, secure), (RestClient, rest)
        with GrpcClient(secure, "half", tls=trust.tls) as old:
            assert old.predict({"x": [4.0]}).outputs["y"].tolist() == [4.0]
            trust.config.write_text("server_key: ")
            for kind, address in clients:
                with kind(address, "half", tls=trust.tls) as client:
                    client.status()
            later.config.rename(trust.config)
            for kind, address in clients:
                with kind(address, "half", tls=later.tls) as client:
                    assert client.predict({"x": [4.0]}).outputs["y"].tolist() == [4.0]
                # The certificate that this one shows is nobody's any more.
                unknown = kind(address, "half", tls=ClientTls(later.ca, *trust.shown), retries=0)
                with unknown as client, pytest.raises(ServingError, match="does not take the certificate of"):
                    client.status()
            assert old.predict({"x": [4.0]}).outputs["y"].tolist() == [4.0]
    assert "The certificates stay as they are: This is no SSLConfig" in command.text
    assert "New connections get the certificates" in command.text


def test_as_tensorflow_serving_has_it_rest_is_plain(commands: CommandServer, releases: Path, trust: Trust) -> None:
    trust.config.write_text(ssl_config(trust.server))
    with _serve_half(commands, releases, f"--ssl-config={trust.config}", "--rest-plain") as command:
        secure, rest = _addresses(command)
        assert rest.startswith("http://")
        with GrpcClient(secure, "half", tls=ClientTls(trust.ca)) as one, RestClient(rest, "half") as other:
            for client in (one, other):
                assert client.predict({"x": [4.0]}).outputs["y"].tolist() == [4.0]
        encrypted = rest.replace("http:", "https:")
        with RestClient(encrypted, "half", tls=ClientTls(trust.ca)) as refused, pytest.raises(ServingError) as told:
            refused.status()
        assert told.value.fix == f"What answers there speaks without TLS: give {rest} instead."


def test_serve_asks_its_models_with_tls(commands: CommandServer, releases: Path, trust: Trust, rows: Path) -> None:
    ask = ["serve", "--grpc-port=0", "--rest-port=0", "--model", f"half={releases / 'half'}", f"--ask={rows}"]
    secure = [*ask, f"--ssl-config={trust.config}"]
    asked, nameless, plain = (
        commands.run(argv) for argv in ([*secure, *trust.files], [*secure, trust.files[0]], [*ask, trust.files[0]])
    )
    assert asked.wait() == 0, asked.text
    assert "2.0  3" in asked.stdout.read_text()
    assert nameless.wait() == 1
    assert "The server asks for a certificate, and none is shown" in nameless.text
    assert plain.wait() == 1
    assert "Nobody is asked with TLS." in plain.text


@pytest.mark.parametrize("verbosity", ["NONE", "INFO"])
def test_grpcs_library_tells_what_it_refuses_where_it_is_let_and_not_whom(
    releases: Path, trust: Trust, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verbosity: str
) -> None:
    monkeypatch.setenv("GRPC_VERBOSITY", verbosity)  # which it reads once, in the process that commands come from
    options = ["--model", f"half={releases / 'half'}", f"--ssl-config={trust.config}"]
    with contextlib.closing(CommandServer(tmp_path, [])) as commands:
        command = commands.start(["serve", "--grpc-port=0", "--rest-port=0", *options])
        try:
            secure, _ = _addresses(command)
            with (
                GrpcClient(secure, "half", tls=ClientTls(trust.ca), retries=0) as client,
                pytest.raises(ServingError, match="none is shown"),
            ):
                client.status()
        finally:
            command.signal(signal.SIGTERM)
            command.wait()
    lines = [line for line in command.text.splitlines() if "PEER_DID_NOT_RETURN_A_CERTIFICATE" in line]
    assert bool(lines) is (verbosity == "INFO")
    assert not [line for line in lines if "127.0.0.1" in line]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('server_key: "-----BEGIN SECRET', "no SSLConfig"),
        ('server_key: "/etc/key.pem" server_cert: "/etc/cert.pem"', "Give the text of the file itself, not its name"),
    ],
)
def test_a_file_that_is_of_no_use_ends_it_before_it_listens(
    commands: CommandServer, releases: Path, tmp_path: Path, text: str, told: str
) -> None:
    (tmp_path / "ssl.config").write_text(text)
    command = commands.run(
        ["serve", "--model", f"half={releases / 'half'}", "--ssl-config", str(tmp_path / "ssl.config")]
    )
    assert command.wait() == 1
    assert told in command.text
    assert f"Where: {tmp_path / 'ssl.config'}" in command.text
    assert "SECRET" not in command.text
    assert "gRPC:" not in command.text
