"""Settings of a query, and of data with one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from configs.load import load_settings
from configs.settings import Settings
from configs.show import show
from schemas.errors import SettingsError

URL = "postgresql://reader:${PASSWORD}@db/trips"
SETTINGS = """\
name: trips
output_dir: out
data: {source: sql, query: {url: "URL", text: SELECT 1}}
features:
  fare: {kind: numeric}
label: {kind: binary, expression: tips > 1}
evaluation: {thresholds: {auc: {lower: 0.6}}}
"""


def _load(folder: Path, *overrides: str, url: str = URL) -> Settings:
    file = folder / "a.yaml"
    file.write_text(SETTINGS.replace("URL", url))
    return load_settings([file], overrides, {})


def test_a_query(tmp_path: Path) -> None:
    data = _load(tmp_path).data
    assert (data.source, data.files, data.path) == ("sql", "parquet", None)
    assert data.query is not None
    assert (data.query.url, data.query.text) == (URL, "SELECT 1")


def test_a_password_that_is_written_out_is_not_shown(tmp_path: Path) -> None:
    settings = _load(tmp_path, url="mysql://reader:hunter2@db/trips")
    assert "hunter2" not in f"{show(settings)}{settings!r}{settings.dump()}"
    assert "mysql://reader:***@db/trips" in show(settings)


WRONG: list[tuple[list[str], str]] = [
    (["data.path=a.csv"], "data.path must be left out: the source sql has data.query instead."),
    (["data.prepare=a.b"], "data.prepare must be left out: the query says what its rows are."),
    (["data.source=csv"], "data.query is for the sources sql and bigquery."),
    (["data.query=null"], "data.query must be given for the source sql."),
    (["data.query=null", "data.source=csv"], "data.path must name the data: a file, a folder, a glob or a pattern"),
    (["data.source=bigquery"], "data.query.url must name the database of the source sql, and be left out"),
    (["data.query.url=null"], "data.query.url must name the database of the source sql"),
    (["data.query.url=sqlite:///a"], "data.query.url must begin with postgresql:// or mysql://"),
    (["data.query.url=postgresql://reader@/trips"], "data.query.url: names no host"),
    (["data.query.url=mysql://reader@db"], "data.query.url: names no database"),
    (["data.query.url=mysql://reader@db/trips?sslmode=require"], "has a parameter that mysql:// does not know"),
    (["data.query.project=p"], "data.query.project is for the source bigquery."),
    (["data.query.text=null"], "data.query must have either text or file."),
    (["data.query.file=a.sql"], "data.query must have either text or file."),
    (["data.query.timeout_seconds=0"], "data.query.timeout_seconds"),
]


@pytest.mark.parametrize(("overrides", "what"), WRONG)
def test_what_does_not_go_together(overrides: list[str], what: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        _load(tmp_path, *overrides)
    assert what in str(caught.value)


def test_bigquery(tmp_path: Path) -> None:
    query: Any = "{text: SELECT 1, project: p, location: EU, maximum_bytes_billed: 1000000}"
    data = _load(tmp_path, "data.source=bigquery", "data.query.url=null", f"data.query={query}").data
    assert data.query is not None
    assert (data.query.project, data.query.maximum_bytes_billed, data.query.url) == ("p", 10**6, None)
