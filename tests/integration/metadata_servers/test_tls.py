"""TLS to a store."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.metadata_servers.opened_store import open_store, refusal

pytestmark = pytest.mark.slow


def test_tls_to_mysql_is_used_and_a_wrong_file_is_an_error(mysql: Any, database: str) -> None:
    url = mysql.create(database)
    user = mysql.create_tls_user()
    encrypted = url.replace("//ml:", f"//{user}:")
    with open_store(f"{encrypted}?ssl_ca={mysql.tls.certificate}") as handle:
        assert handle.store.get_artifact_types() == []
    assert refusal(encrypted).what == "The metadata store refuses the user or the password."
    assert refusal(f"{encrypted}?ssl_ca=/nowhere.pem").what == "TLS to the metadata store failed."


def test_tls_to_postgresql_says_what_the_library_cannot(postgres: Any, database: str) -> None:
    url = f"{postgres.create(database)}?sslmode=verify-full&sslrootcert="
    without = "ML Metadata's library was built without TLS for PostgreSQL."
    assert refusal(url + str(postgres.tls.certificate)).what == without
    assert refusal(url + "/nowhere.pem").what == "TLS to the metadata store failed."
