"""`scalable-tf predict`: what it reads, and what it says of addresses that are others than they seem."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runners.cli import main
from tests.unit.serving.client.test_rest_client import Server


@pytest.fixture
def url() -> Iterator[str]:
    """The REST address of a server whose model `m` doubles `x`."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server.url
    server.shutdown()
    thread.join()
    server.server_close()


def test_texts_for_missing_values_are_those_of_the_settings(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("x\n1.5\nNA\n")
    command = ["predict", "--url", f"{url}/v1/models/m", "--input", str(rows)]
    assert main(command) == 1
    assert "Where: x, row 2\n  Received: 'NA'\n" in capsys.readouterr().err
    assert main([*command, "-c", "configs/taxi.yaml", "--set", 'data.missing_values=["", NA]']) == 0
    assert capsys.readouterr().out == '{"y": 3.0}\n{"y": NaN}\n'
