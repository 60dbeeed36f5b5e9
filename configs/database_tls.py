"""TLS to database servers, as the parameters of their URLs ask for it."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any, Literal

_ENCRYPTED = ("require", "verify-ca", "verify-full")


def postgresql_tls(parameters: Mapping[str, str], sslpassword: str = "") -> ssl.SSLContext | Literal[False] | None:
    """What pg8000 takes for libpq's `sslmode` and the other ssl parameters.

    False: not encrypted; None: where the server offers it, and nobody checks who it is.

    Args:
        parameters: of the URL.
        sslpassword: of the key in `sslkey`, or empty.

    Raises:
        OSError: a file of the parameters cannot be used; ssl.SSLError is one.
    """
    mode = parameters.get("sslmode", "prefer")
    if mode not in _ENCRYPTED:
        return False if mode == "disable" else None
    context = ssl.create_default_context(cafile=parameters.get("sslrootcert"))
    context.check_hostname = mode == "verify-full"
    if mode == "require" and "sslrootcert" not in parameters:
        context.verify_mode = ssl.CERT_NONE
    if "sslcert" in parameters:
        context.load_cert_chain(parameters["sslcert"], parameters.get("sslkey"), sslpassword or None)
    return context


def mysql_tls(parameters: Mapping[str, str]) -> dict[str, Any] | None:
    """What PyMySQL takes for the `ssl_` parameters; None: not encrypted."""
    given = {name.removeprefix("ssl_"): value for name, value in parameters.items() if name[:4] == "ssl_"}
    if not given:
        return None
    verify = given.pop("verify_server_cert", "false") == "true"
    return {**given, "check_hostname": verify, "verify_mode": "required" if verify else "none"}
