"""The host, the proxy and the names of versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners.kubeflow.service.api import PipelinesApi, base_url, proxy_for
from runners.kubeflow.service.credential import find_credential
from runners.kubeflow.service.versions import version_name
from schemas.errors import SettingsError


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("http://localhost:8888", "http://localhost:8888"),
        ("https://kubeflow.example.com/pipeline/", "https://kubeflow.example.com/pipeline"),
        ("https://kubeflow.example.com/pipeline/#/runs", "https://kubeflow.example.com/pipeline"),
        ("https://pipelines/apis/v2beta1/healthz", "https://pipelines"),
        ("pipelines.example.com", "https://pipelines.example.com"),
    ],
)
def test_the_host_may_be_what_a_browser_shows(host: str, expected: str) -> None:
    assert base_url(host) == expected


@pytest.mark.parametrize("host", ["", "ftp://pipelines", "http://", "https://user:hunter2@pipelines"])
def test_what_is_no_host(host: str) -> None:
    with pytest.raises(SettingsError) as caught:
        base_url(host)

    assert "hunter2" not in str(caught.value)


def test_a_proxy_is_taken_where_no_proxy_does_not_say_otherwise() -> None:
    environ = {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": ".internal"}

    assert proxy_for("https://pipelines.example.com", environ) == "http://proxy:3128"
    assert proxy_for("https://pipelines.internal", environ) is None
    assert proxy_for("http://pipelines.example.com", environ) is None


def test_a_missing_file_of_authorities(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="authorities is missing"):
        PipelinesApi("https://pipelines", ca_file=tmp_path / "none.pem")


def test_the_name_of_a_version_holds_its_content_and_fits() -> None:
    assert version_name("penguins", "0123456789abcdef" * 4) == "penguins-sha256-0123456789abcdef"
    assert len(version_name("p" * 200, "0" * 64)) == 100


def test_a_credential_does_not_show_itself(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("Bearer hunter2\n")

    found = find_credential({"KF_PIPELINES_TOKEN": "other"}, file, None)

    assert found.headers() == {"Authorization": "Bearer hunter2"}
    assert "hunter2" not in repr(found)
    assert "hunter2" not in repr(find_credential({"KF_PIPELINES_TOKEN": "hunter2"}, None, None))


@pytest.mark.parametrize("text", ["", "two\nlines", "umläut"])
def test_what_is_no_credential(tmp_path: Path, text: str) -> None:
    file = tmp_path / "token"
    file.write_text(text)

    with pytest.raises(SettingsError, match="no text for a header"):
        find_credential({}, file, None)
