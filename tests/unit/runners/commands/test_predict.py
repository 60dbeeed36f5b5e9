"""`scalable-tf predict`: what it reads, and what it says of addresses that are others than they seem."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.cli import main
from tests.unit.serving.client.test_rest_client import Server


@pytest.fixture
def url() -> Iterator[str]:
    """The REST address of a server whose model `m` doubles `x`."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server.url
    server.shutdown()
    thread.join()
    server.server_close()


def test_texts_for_missing_values_are_those_of_the_settings(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("x\n1.5\nNA\n")
    command = ["predict", "--url", f"{url}/v1/models/m", "--input", str(rows)]
    assert main(command) == 1
    assert "Where: x, row 2\n  Received: 'NA'\n" in capsys.readouterr().err
    assert main([*command, "-c", "configs/taxi.yaml", "--set", 'data.missing_values=["", NA]']) == 0
    assert capsys.readouterr().out == '{"y": 3.0}\n{"y": NaN}\n'


def test_files_for_tls_are_for_addresses_with_it(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rows.csv").write_text("x\n1.5\n")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
    ask = ["predict", "--model", "m", "--input", str(tmp_path / "rows.csv")]
    assert main([*ask, "--url", url, "--tls-ca", str(tmp_path / "ca.pem")]) == 1
    assert f"nothing is asked with TLS.\n  Where: TLS of the client\n  Received: {url}\n" in capsys.readouterr().err
    assert main([*ask, "--url", url]) == 0
    secure = ["--url", url.replace("http:", "https:")]
    for options, file in ([], "trusted.pem"), (["--tls-ca", str(tmp_path / "ca.pem")], "ca.pem"):
        assert main([*ask, *secure, *options]) == 1
        assert f"cannot be read.\n  Where: {tmp_path / file}\n" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["http://127.0.0.1:8500", "127.0.0.1", "127.0.0.1:99999", ":8500"])
def test_an_address_of_grpc_has_a_host_and_a_port(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["predict", "--grpc", address, "--model", "m", "--input", "configs/taxi_trips.csv"])
    assert raised.value.code == 2
    expected = f"argument --grpc: must be HOST:PORT of the gRPC port, or grpcs://HOST:PORT: {address}"
    assert expected in capsys.readouterr().err


def test_rows_without_any_column_are_told_so(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = tmp_path / "rows.json"
    rows.write_text("[{}]")
    assert main(["predict", "--url", f"{url}/v1/models/m", "--input", str(rows)]) == 1
    assert "Received: rows without any column\n" in capsys.readouterr().err
