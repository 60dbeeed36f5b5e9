"""Files for TLS of a client."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import SettingsError
from serving.client.client_tls import ClientTls, is_secure, place_of
from serving.client.grpc_client import GrpcClient
from serving.client.rest_client import RestClient
from tests.certificates import Authority


def test_addresses() -> None:
    assert is_secure("grpcs://serving:8500")
    assert is_secure("https://serving")
    assert not is_secure("http://serving")
    assert not is_secure("serving:8500")
    assert place_of("grpcs://[::1]:8500") == "[::1]:8500"
    assert place_of("dns:///serving:8500") == "dns:///serving:8500"


def test_a_certificate_needs_its_key(tmp_path: Path) -> None:
    certificate, key = Authority("root").sign("client").write(tmp_path / "client")
    ClientTls(None, certificate, key)
    with pytest.raises(SettingsError, match="key.pem alone"):
        ClientTls(key=key)
    with pytest.raises(SettingsError, match="no certificate that TLS can use"):
        ClientTls(key)


def test_files_for_an_address_in_plain_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(Authority("root").certificate)
    tls = ClientTls(tmp_path / "ca.pem")
    with pytest.raises(SettingsError, match="Received: serving:8500"):
        GrpcClient("serving:8500", "taxi", tls=tls)
    with pytest.raises(SettingsError, match="Received: http://serving:8501"):
        RestClient("serving:8501", "taxi", tls=tls)
