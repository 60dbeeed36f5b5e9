"""The options that say whom a command trusts when it asks a server with TLS, and what it shows."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serving.client.client_tls import ClientTls

_CA_VARIABLE = "SSL_CERT_FILE"


def add_tls(parser: argparse.ArgumentParser, which: str = "with grpcs:// or https://") -> None:
    """The options.

    Args:
        parser: of a command.
        which: addresses or what else they are for.
    """
    parser.add_argument(
        "--tls-ca",
        type=Path,
        metavar="FILE",
        help=f"{which}: PEM certificates of the authorities to trust; default: {_CA_VARIABLE}, or "
        "those that the libraries bring",
    )
    parser.add_argument("--tls-cert", type=Path, metavar="FILE", help="PEM certificate to show, with its chain")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="PEM key of --tls-cert")


def tls_of(arguments: argparse.Namespace, addresses: Sequence[str]) -> ClientTls | None:
    """What the options and the environment say.

    Args:
        arguments: of the command.
        addresses: of the servers that it asks.

    Returns:
        None where no address is asked with TLS.

    Raises:
        SettingsError: a file cannot be used, or no address is asked with TLS and a file is given.
    """
    from serving.client.client_tls import ClientTls, is_secure, refuse_plain

    ca, certificate, key = arguments.tls_ca, arguments.tls_cert, arguments.tls_key
    if ca or certificate or key:
        refuse_plain(addresses)
    if not any(is_secure(address) for address in addresses):
        return None
    return ClientTls(ca or os.environ.get(_CA_VARIABLE) or None, certificate, key)
