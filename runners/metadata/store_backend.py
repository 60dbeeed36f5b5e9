"""The backend of a store, by its URL."""

from __future__ import annotations

import os
from pathlib import Path

from configs.account import Account
from configs.secret import SecretUrl
from configs.settings import Settings
from configs.store_url import parse_store_url
from runners.metadata.backend import Backend
from runners.metadata.sqlite import SqliteBackend


def store_backend(settings: Settings) -> Backend:
    """The store of these settings: SQLite under `output_dir` unless `metadata.url` says otherwise.

    Raises:
        SettingsError: the password, or a file that the URL names, cannot be read.
    """
    if settings.metadata.url is None:
        from pipeline.pipeline import root  # and with it TFX, which the service of a database does without

        return SqliteBackend(root(settings) / "metadata" / "metadata.sqlite")
    return backend_of(settings.metadata.url)


def backend_of(url: SecretUrl) -> Backend:
    """The store at a URL; its password is read here, from the environment or from its file.

    Raises:
        PlacedValueError: it is no such URL; settings have been checked for it.
        SettingsError: the password, or a file that the URL names, cannot be read.
    """
    # The clients of servers are imported where one is used.
    parsed = parse_store_url(url)
    if parsed.scheme == "sqlite":
        return SqliteBackend(Path(parsed.database))
    if parsed.scheme in ("grpc", "grpcs"):
        from runners.metadata.service import ServiceBackend

        return ServiceBackend(parsed)
    account = Account.of(url, parsed, os.environ, "metadata.url")
    if parsed.scheme == "mysql":
        from runners.metadata.mysql import MysqlBackend

        return MysqlBackend(parsed, account)
    from runners.metadata.postgresql import PostgresqlBackend

    sslpassword = url.reveal_part(parsed.parameters.get("sslpassword", ""), os.environ)
    return PostgresqlBackend(parsed, account, sslpassword)
