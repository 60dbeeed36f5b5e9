"""TensorFlow Serving's SSLConfig."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import SettingsError
from serving.server.ssl_config import SslConfig
from tests.certificates import Authority, Certificate, ssl_config


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("root")


@pytest.fixture(scope="module")
def made(authority: Authority) -> Certificate:
    return authority.sign("server")


def _read(folder: Path, text: str) -> SslConfig:
    (folder / "ssl.config").write_text(text)
    return SslConfig.read(folder / "ssl.config")


def _error(folder: Path, text: str) -> SettingsError:
    with pytest.raises(SettingsError) as raised:
        _read(folder, text)
    assert raised.value.where.startswith(str(folder / "ssl.config"))
    return raised.value


def test_the_texts_of_pem_files(tmp_path: Path, authority: Authority, made: Certificate) -> None:
    config = _read(tmp_path, f"# of this machine\n{ssl_config(made, authority)}")
    assert (config.key.content, config.certificate.content) == (made.key.encode(), made.certificate.encode())
    assert config.authorities
    assert config.authorities.content == authority.certificate.encode()
    assert config.client_verify


def test_a_text_in_pieces_and_what_is_false_by_default(tmp_path: Path, made: Certificate) -> None:
    key, certificate = (" ".join(f'"{line}\\n"' for line in text.splitlines()) for text in (made.key, made.certificate))
    config = _read(tmp_path, f"server_key: {key}\nserver_cert: {certificate}")
    assert config.key.content == made.key.encode()
    assert (config.authorities, config.client_verify) == (None, False)


@pytest.mark.parametrize(
    ("text", "where", "received"),
    [
        ('server_key: "a"\nserver_certificate: "b"', "line 2, column 1", "a field that it does not have; server_cert?"),
        (
            'server_key: "-----BEGIN PRIVATE KEY-----\nMIGH"',
            "server_key, line 1, column 13",
            "a text that does not end",
        ),
        ('server_key: "a"\n"MIGH\n"', "server_key, line 2, column 1", "a text that does not end on its line"),
        ("server_key: MIGH", "server_key, line 1, column 13", "no text in quotation marks"),
        ('custom_ca "MIGH"', "custom_ca, line 1, column 11", "no colon behind the field"),
        ("client_verify: MIGH", "client_verify, line 1, column 16", "neither true nor false"),
        ('custom_ca: "a" custom_ca: "b"', "custom_ca, line 1, column 27", "a field that is given twice"),
        ("{MIGH}", "line 1, column 1", "no SSLConfig"),
        # Half written, up to the end of a line.
        ('server_key: "a"\nserver_cert:\n', "server_cert, line 3, column 1", "no text in quotation marks"),
        ("server_key\n", "server_key, line 2, column 1", "no colon behind the field"),
        # What is the end of a line elsewhere is none in protobuf's text.
        ('# a\x0cb\nserver_key: "a"\n\nserver_cert: MIGH', "server_cert, line 4, column 14", "no text in quotation"),
    ],
)
def test_a_fault_is_told_by_its_field_and_place_and_not_shown(
    tmp_path: Path, text: str, where: str, received: str
) -> None:
    error = _error(tmp_path, text)
    assert error.where == f"{tmp_path / 'ssl.config'}, {where}"
    assert str(error.received).startswith(received)
    assert "MIGH" not in str(error)
    assert "PRIVATE" not in str(error)


def test_what_is_missing_is_named(tmp_path: Path, made: Certificate) -> None:
    text = ssl_config(made)
    assert _error(tmp_path, "# none").what == "server_key is missing."
    assert _error(tmp_path, "\n").what == "A file for TLS is empty."
    assert _error(tmp_path, text.replace("server_cert", "custom_ca")).what == "server_cert is missing."
    assert _error(tmp_path, text.replace("false", "true")).what == "custom_ca is missing."


def test_names_of_files_are_no_texts(tmp_path: Path) -> None:
    error = _error(tmp_path, 'server_key: "/etc/key.pem" server_cert: "/etc/cert.pem"')
    assert (error.what, error.received) == ("This is not PEM.", "text without -----BEGIN")


def test_what_tls_cannot_use_is_told_by_its_field(tmp_path: Path, made: Certificate) -> None:
    error = _error(tmp_path, ssl_config(Certificate(made.key, made.key)))
    assert error.where.endswith(", server_cert")
    file, other = tmp_path / "ssl.config", Authority("other").sign("other").key
    error = _error(tmp_path, ssl_config(Certificate(made.certificate, other)))
    assert error.what == "The key is that of another certificate."
    assert error.where == f"{file}, server_key, for {file}, server_cert"
