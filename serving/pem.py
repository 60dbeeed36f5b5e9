"""Certificates and keys as text in PEM (RFC 7468), and how TLS takes them."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from schemas.errors import SettingsError

_MAKE = "It must be PEM, with -----BEGIN ...----- in it; openssl makes it of other forms."
_OTHER_KEY = "KEY_VALUES_MISMATCH"


@dataclass(frozen=True)
class Pem:
    """One text, which may be a private key: it is in no message, and not in `repr`.

    Attributes:
        where: the file, and what in it, for messages.
        content: the text.
    """

    where: str
    content: bytes = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> Pem:
        """A file.

        Raises:
            SettingsError: it cannot be read, or is empty.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise SettingsError(
                "A file for TLS cannot be read.",
                where=str(path),
                received=error.strerror,
                fix="Name a file that this user may read.",
            ) from error
        if not content.strip():
            raise SettingsError(
                "A file for TLS is empty.",
                where=str(path),
                received=f"{len(content)} bytes",
                fix="Write it beside, and rename it: then nobody sees it half written.",
            )
        return cls(str(path), content)


def load_authorities(context: ssl.SSLContext, authorities: Pem) -> None:
    """Has a context trust certificates.

    Raises:
        SettingsError: there are none.
    """
    text = authorities.content.decode("ascii", "replace").replace("\ufffd", "?")
    # An authority that others have signed is enough by itself, as for gRPC.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError) as error:  # the latter of no text at all
        raise SettingsError(
            "There is no certificate that TLS can use.",
            where=authorities.where,
            received=_reason(error) or "no certificate in PEM",
            fix=_MAKE,
        ) from None


def load_identity(context: ssl.SSLContext, certificate: Pem, key: Pem) -> None:
    """Gives a context the certificate, with its chain, that it shows, and the certificate's key.

    Raises:
        SettingsError: one of them is none, the key is encrypted, or is another certificate's.
    """
    load_authorities(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), certificate)  # says whether it is one

    def password() -> str:
        raise SettingsError(
            "The key is encrypted, and nobody is there to be asked for its password.",
            where=key.where,
            fix="Decrypt it (openssl pkey -in FILE -out FILE), and let nobody else read the file.",
        )

    # The library reads files only: this one is in memory, and gone with its number.
    file = os.memfd_create("tls")
    try:
        with open(file, "wb", closefd=False) as writing:
            writing.write(key.content + b"\n" + certificate.content)
        context.load_cert_chain(f"/proc/self/fd/{file}", password=password)
    except (ssl.SSLError, OSError) as error:
        raise _unusable(_reason(error), certificate, key) from None
    finally:
        os.close(file)


def _unusable(reason: str, certificate: Pem, key: Pem) -> SettingsError:
    where = f"{key.where}, for {certificate.where}"
    if reason == _OTHER_KEY:
        fix = "Give the key that this certificate was made with."
        return SettingsError("The key is that of another certificate.", where=where, received=reason, fix=fix)
    if reason:
        fix = "Make others: RSA of 2048 bits or more, or EC on the curve P-256."
        return SettingsError("TLS does not take the certificate with its key.", where=where, received=reason, fix=fix)
    received = "no private key in PEM"
    return SettingsError("There is no private key that TLS can use.", where=where, received=received, fix=_MAKE)


def _reason(error: ValueError | OSError) -> str:
    """The library's name for what is wrong, without what it read; empty: nothing in PEM."""
    return getattr(error, "reason", "") or ""
