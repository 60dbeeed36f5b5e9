"""Certificates for tests, made when they are needed: nothing of them is kept."""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAYS = -2.0, 2.0


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, as PEM."""

    certificate: str
    key: str

    def write(self, folder: Path) -> tuple[Path, Path]:
        """As files in a new folder."""
        folder.mkdir()
        files = folder / "certificate.pem", folder / "key.pem"
        for file, text in zip(files, (self.certificate, self.key), strict=True):
            file.write_text(text)
        return files


class Authority:
    """Signs certificates for this machine, each through another authority of its own.

    Args:
        name: its name.
        above: who signs its own certificate; default: itself.

    Attributes:
        certificate: PEM; who trusts it trusts what it signs.
    """

    def __init__(self, name: str, above: Authority | None = None) -> None:
        self._name, self._key = name, ec.generate_private_key(ec.SECP256R1())
        self.certificate = _pem((above or self)._signed(name, self._key))

    def sign(self, name: str, days: tuple[float, float] = _DAYS, host: str = "localhost") -> Certificate:
        """A certificate for servers and clients on this machine, with what stands between it and the root.

        Args:
            name: of whoever shows it.
            days: from now, when it begins and ends.
            host: whom it is for, beside 127.0.0.1 where that is this machine.
        """
        between, key = Authority(f"{name} issuer", self), ec.generate_private_key(ec.SECP256R1())
        chain = _pem(between._signed(name, key, days, [host])) + between.certificate
        form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        return Certificate(chain, key.private_bytes(*form).decode())

    def _signed(
        self, name: str, key: ec.EllipticCurvePrivateKey, days: tuple[float, float] = _DAYS, hosts: Sequence[str] = ()
    ) -> x509.Certificate:
        """Of an authority, where there are no hosts."""
        now = datetime.datetime.now(datetime.timezone.utc)
        begin, end = (now + datetime.timedelta(days=one) for one in days)
        made = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name(self._name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=not hosts, path_length=None), critical=True)
        )
        if hosts:
            names: list[x509.GeneralName] = [x509.DNSName(host) for host in hosts]
            if "localhost" in hosts:
                names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
            made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return made.sign(self._key, hashes.SHA256())


def ssl_config(server: Certificate, authority: Authority | None = None) -> str:
    """An SSLConfig as protocol buffer text; with an authority, clients need a certificate of it."""
    texts = {"server_key": server.key, "server_cert": server.certificate}
    if authority:
        texts["custom_ca"] = authority.certificate
    lines = ['{}: "{}"'.format(name, text.replace("\n", "\\n")) for name, text in texts.items()]
    return "\n".join([*lines, f"client_verify: {str(authority is not None).lower()}"])


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
