from __future__ import annotations

import hashlib
import http.server
import io
import subprocess
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import uv_tool
from setup_error import SetupError
from uv_tool import INDEX, VERSION, WHEEL, environment_for_uv, get_uv, index_url

SCRIPT = f"#!/bin/sh\necho uv {VERSION}\n"


def _uv(folder: Path, version: str) -> Path:
    folder.mkdir()
    path = folder / "uv"
    path.write_text(f"#!/bin/sh\necho uv {version}\n")
    path.chmod(0o755)
    return path


def _wheel() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"uv-{VERSION}.data/scripts/uv", SCRIPT)
    return buffer.getvalue()


class _Index(http.server.BaseHTTPRequestHandler):
    pages: dict[str, bytes] = {}

    def do_GET(self) -> None:
        page = self.pages.get(self.path)
        self.send_response(200 if page is not None else 404)
        self.end_headers()
        self.wfile.write(page or b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package index on this machine, which is the only way to get uv: pip is not to be had."""
    monkeypatch.setattr(uv_tool, "_by_pip", lambda *_: None)
    monkeypatch.setattr(uv_tool, "_by_venv", lambda *_: None)
    monkeypatch.setattr(uv_tool, "SHA256", hashlib.sha256(_wheel()).hexdigest())
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(
        _Index,
        "pages",
        {
            "/simple/uv/": f'<a href="../../files/a/{WHEEL}#sha256=0">{WHEEL}</a>'.encode(),
            f"/files/a/{WHEEL}": _wheel(),
        },
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Index) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/simple"
        server.shutdown()
        thread.join()


def test_uv_on_path_is_used_when_it_is_new_enough(tmp_path: Path) -> None:
    uv = _uv(tmp_path / "bin", "0.9.0")

    assert get_uv(str(tmp_path / "cache"), {"PATH": str(uv.parent)}) == str(uv)


@pytest.mark.parametrize(("version", "exact"), [("0.7.22", False), ("0.9.0", True), ("nonsense", False)])
def test_another_uv_on_path_is_passed_over(tmp_path: Path, index: str, version: str, exact: bool) -> None:
    path = str(_uv(tmp_path / "bin", version).parent)

    found = get_uv(str(tmp_path / "cache"), {"PATH": path, "PIP_INDEX_URL": index}, exact)

    assert found == str(tmp_path / "cache" / f"uv-{VERSION}")


def test_uv_comes_from_the_index_and_runs(tmp_path: Path, index: str) -> None:
    found = get_uv(str(tmp_path), {"PIP_INDEX_URL": index})

    assert subprocess.run([found, "--version"], capture_output=True, text=True).stdout == f"uv {VERSION}\n"


def test_uv_is_fetched_once(tmp_path: Path, index: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = get_uv(str(tmp_path), {"PIP_INDEX_URL": index})
    monkeypatch.setattr(_Index, "pages", {})

    assert get_uv(str(tmp_path), {"PIP_INDEX_URL": index}) == first


def test_another_file_than_the_pinned_one_is_refused(
    tmp_path: Path, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uv_tool, "SHA256", "0" * 64)

    with pytest.raises(SetupError, match=f"(?s)another uv.*{hashlib.sha256(_wheel()).hexdigest()}"):
        get_uv(str(tmp_path), {"PIP_INDEX_URL": index})
    assert list(tmp_path.iterdir()) == []


def test_an_index_without_that_uv(tmp_path: Path, index: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Index, "pages", {"/simple/uv/": b"<html></html>"})

    with pytest.raises(SetupError, match=f"no {WHEEL} at {index}/uv/"):
        get_uv(str(tmp_path), {"PIP_INDEX_URL": index})


def test_an_index_that_answers_with_an_error(tmp_path: Path, index: str) -> None:
    with pytest.raises(SetupError, match="(?s)cannot be reached.*404.*PIP_INDEX_URL names another index"):
        get_uv(str(tmp_path), {"PIP_INDEX_URL": index + "/nowhere"})


def test_index_of_pip_s_variable_comes_first(tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text("[global]\nindex-url = https://file/simple\n")

    assert index_url({"PIP_CONFIG_FILE": str(file), "PIP_INDEX_URL": "https://variable/simple"}) == (
        "https://variable/simple"
    )


def test_index_of_pip_s_file(tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text("[global]\nindex-url = https://file/simple\n")

    assert index_url({"PIP_CONFIG_FILE": str(file)}) == "https://file/simple"


def test_a_broken_file_of_pip_is_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text("index-url = https://file/simple\n")

    assert index_url({"PIP_CONFIG_FILE": str(file), "HOME": str(tmp_path)}) == INDEX


def test_uv_is_given_pip_s_index_and_certificates() -> None:
    environment = environment_for_uv({"PIP_INDEX_URL": "https://mirror/simple", "PIP_CERT": "/etc/ca.pem"})

    assert environment["UV_DEFAULT_INDEX"] == "https://mirror/simple"
    assert environment["SSL_CERT_FILE"] == "/etc/ca.pem"


def test_uv_s_own_index_is_kept() -> None:
    given = {"PIP_INDEX_URL": "https://mirror/simple", "UV_DEFAULT_INDEX": "https://other/simple"}

    assert environment_for_uv(given)["UV_DEFAULT_INDEX"] == "https://other/simple"


def test_uv_knows_nothing_of_an_activated_environment() -> None:
    activated = {"VIRTUAL_ENV": "/other", "PYTHONPATH": "/x", "CONDA_PREFIX": "/conda", "HOME": "/root"}

    assert set(environment_for_uv(activated)) == {"HOME", "UV_HTTP_TIMEOUT"}
