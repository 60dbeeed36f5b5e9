"""Certificates and keys: what is wrong with them is told, and what is in them is not."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from schemas.errors import SettingsError
from serving.pem import Pem, load_authorities, load_identity
from tests.certificates import Authority, Certificate


@pytest.fixture(scope="module")
def made() -> Certificate:
    return Authority("root").sign("server")


def _error(certificate: str, key: str) -> SettingsError:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with pytest.raises(SettingsError) as raised:
        load_identity(context, Pem("the certificate", certificate.encode()), Pem("the key", key.encode()))
    assert raised.value.__cause__ is None
    return raised.value


def test_a_certificate_with_its_key_is_taken_whatever_stands_around_it(made: Certificate) -> None:
    certificate = Pem("", f"subject=Zürich\n{made.certificate}".encode())
    load_identity(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), certificate, Pem("", made.key.encode()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    load_authorities(context, certificate)
    assert context.cert_store_stats()["x509"] == 2


def test_the_key_of_another_certificate(made: Certificate) -> None:
    error = _error(made.certificate, Authority("other").sign("other").key)
    assert (error.what, error.where) == ("The key is that of another certificate.", "the key, for the certificate")


@pytest.mark.parametrize("text", ["", "none", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"])
def test_what_is_no_certificate(made: Certificate, text: str) -> None:
    assert _error(text, made.key).what == "There is no certificate that TLS can use."


def test_what_is_no_key(made: Certificate) -> None:
    error = _error(made.certificate, made.key[:60])
    assert error.what == "There is no private key that TLS can use."
    assert made.key.splitlines()[1][:8] not in str(error)


def test_a_key_with_a_password_is_told_and_nobody_asked(made: Certificate) -> None:
    key = serialization.load_pem_private_key(made.key.encode(), None)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    error = _error(made.certificate, key.private_bytes(*form).decode())
    assert error.what.startswith("The key is encrypted")


def test_a_file_that_cannot_be_read_is_told_and_a_key_is_not_shown(tmp_path: Path, made: Certificate) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        Pem.read(tmp_path / "key.pem")
    assert repr(Pem("key.pem", made.key.encode())) == "Pem(where='key.pem')"
