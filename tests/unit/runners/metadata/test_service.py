"""Files for TLS to ML Metadata's service."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.secret import SecretUrl
from runners.metadata.store_backend import backend_of
from schemas.errors import SettingsError


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), (b"", "not PEM"), (b"\xff", "can't decode")])
def test_a_file_that_is_not_pem(content: bytes | None, said: str, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match="A file for TLS to the metadata store cannot be read") as caught:
        backend_of(SecretUrl(f"grpcs://host:1?ssl_ca={file}"))
    assert caught.value.where == "metadata.url, parameter ssl_ca"
    assert said in str(caught.value.received)
